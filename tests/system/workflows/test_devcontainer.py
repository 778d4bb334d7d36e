"""The devcontainer says what the project says elsewhere: its image, dev's ports, and where data is kept."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cli.core.paths import ROOT
from cli.environments.configuration import configuration
from infra.catalogue import PYTHON

FILE = ROOT / ".devcontainer/devcontainer.json"


@pytest.fixture
def container() -> dict[str, Any]:
    lines = [line for line in FILE.read_text().splitlines() if not line.lstrip().startswith("//")]
    read: dict[str, Any] = json.loads("\n".join(lines))
    return read


def test_the_image_is_the_pinned_one(container: dict[str, Any]) -> None:
    assert container["image"] == PYTHON.official


def test_devs_ports_are_forwarded_under_their_names(container: dict[str, Any]) -> None:
    ports = {name: port for name, port in configuration(ROOT, "dev").ports.items() if port}
    assert set(container["forwardPorts"]) == set(ports.values())
    named = {about["label"]: int(port) for port, about in container["portsAttributes"].items()}
    assert named == ports
    https = {about["label"] for about in container["portsAttributes"].values() if about.get("protocol") == "https"}
    assert https == {"app", "callback", "sandbox"}


def test_the_engines_and_our_own_data_outlive_the_container(container: dict[str, Any]) -> None:
    targets = [mount.split("target=")[1].split(",")[0] for mount in container["mounts"]]
    assert targets == ["/var/lib/docker", "/root/.cache", "/root/.local/share/dashtam"]
