from __future__ import annotations

import json
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import yaml

from infra.naming import SERVICES
from tests.verify.running import succeed

if TYPE_CHECKING:
    from pathlib import Path

    import docker

    from tests.verify.checkout import Checkout


def test_a_compose_file_names_what_is_there(checkout: Checkout, client: docker.DockerClient, tmp_path: Path) -> None:
    file = tmp_path / "compose.yaml"
    succeed(checkout.dashtam("export", "compose", checkout.stack, "--output", str(file)))
    document, outputs = yaml.safe_load(file.read_text()), checkout.outputs()
    assert list(document["services"]) == list(SERVICES)
    for name, service in document["services"].items():
        assert (
            client.images.get(service["image"]).id == client.containers.get(outputs["containers"][name]).attrs["Image"]
        )
        [port] = service["ports"]
        assert port.startswith(f"127.0.0.1:{outputs['ports'][name]}:")
        mounted = [one["source"] for one in service["volumes"] if one["type"] == "volume"]
        assert set(mounted) <= document["volumes"].keys()
    external = [name for name, volume in document["volumes"].items() if volume.get("external")]
    assert len(external) == len(SERVICES)
    for name in external:
        assert client.volumes.get(name).name == name
    assert not set(outputs["volumes"].values()) & document["volumes"].keys()


def test_it_holds_no_secret(checkout: Checkout) -> None:
    text, outputs = succeed(checkout.dashtam("export", "compose", checkout.stack)), checkout.outputs()
    for dsn in ("database_dsn", "redis_dsn", "internal_database_dsn", "internal_redis_dsn"):
        password = urlsplit(outputs[dsn]).password
        assert password
        assert password not in text
    assert "PRIVATE KEY" not in text
    assert json.dumps(outputs["ca_certificate"]) not in text


def test_mistakes_are_told(checkout: Checkout) -> None:
    assert checkout.dashtam("export", "compose", "nowhere").returncode == 2
    assert checkout.dashtam("export", "compose", "dev").returncode == 1
