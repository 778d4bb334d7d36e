"""An update that can't succeed ends soon, and says what is wrong and how to mend it; mended, it goes on."""

from __future__ import annotations

import os
import socket
import time
from pathlib import Path

import pytest

from tests.system import checkout as checkouts
from tests.system import environments
from tests.system.checkout import Checkout, free_ports
from tests.system.environments import Environment
from tests.system.running import succeed

SOON = 60.0
"""Seconds; the program waits up to 90 for health, and this machine may be busy."""


@pytest.fixture(autouse=True)
def mended(further: Environment, checkout: Checkout) -> object:
    """Every test starts from an environment that is up."""
    return further.name, checkout


def _fails(checkout: Checkout, *, within: float = SOON, **env: str) -> str:
    began = time.monotonic()
    done = checkout.dashtam("up", checkout.stack, **env)
    took = time.monotonic() - began
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
    assert took < within, done.stderr
    return done.stderr


def _comes_up(further: Environment, checkout: Checkout) -> None:
    checkout.configure()
    checkout.up()
    assert environments.is_up(further.client, checkout.stack)


def test_a_service_that_cannot_run_shows_its_last_words(further: Environment, checkout: Checkout) -> None:
    # The other settings make the container a new one; a running one would only be refused the smaller limit.
    checkout.configure(app={"memory": "32m", "debug": False, "testing": True})
    said = _fails(checkout)
    assert f"{further.outputs.containers.app}: " in said
    assert "What to do:" in said
    _comes_up(further, checkout)


def test_a_port_that_a_process_has(further: Environment, checkout: Checkout) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        checkout.configure(callback={"port": port})
        said = _fails(checkout)
    assert f"Port {port}" in said
    assert str(os.getpid()) in said
    _comes_up(further, checkout)


def test_a_port_that_a_container_has(further: Environment, checkout: Checkout) -> None:
    [port] = free_ports(1)
    other = further.client.containers.run(
        further.outputs.images.postgres,
        ["sleep", "600"],
        entrypoint=[],
        name=f"dashtam-probe-{checkout.stack}",
        ports={"6379/tcp": ("127.0.0.1", port)},
        detach=True,
    )
    try:
        checkout.configure(redis={"port": port})
        said = _fails(checkout)
    finally:
        other.remove(v=True, force=True)
    assert f"Port {port}" in said
    assert f"dashtam-probe-{checkout.stack} listens" in said
    _comes_up(further, checkout)


def test_a_container_name_that_is_taken(further: Environment, checkout: Checkout) -> None:
    name = further.outputs.containers.callback
    further.container("callback").remove(v=True, force=True)
    other = further.client.containers.create(further.outputs.images.postgres, ["true"], name=name)
    try:
        said = _fails(checkout)
    finally:
        other.remove(v=True, force=True)
    assert name in said
    assert "What to do:" in said
    _comes_up(further, checkout)


def test_an_environment_that_another_clone_has(further: Environment, checkout: Checkout, tmp_path: Path) -> None:
    """Even one of another user, whose records this one can't see: it tells by its labels on the engine."""
    before = further.ids()
    second = checkouts.make(tmp_path)
    (second.root / checkout.config_file.name).write_text(checkout.pristine)
    try:
        done = second.dashtam("up", checkout.stack)
        succeed(done)
        assert f"Another clone has the names or ports of {checkout.stack}" in done.stderr
        assert second.outputs(checkout.stack)["network"] != further.outputs.network
    finally:
        succeed(second.dashtam("destroy", checkout.stack, "--yes", "--no-snapshot"))
    assert further.ids() == before
    succeed(checkout.pulumi("preview", "--stack", checkout.stack, "--expect-no-changes", "--refresh"))


@pytest.mark.parametrize(
    ("section", "values", "parts"),
    [
        ("app", {"port": 80000}, ["dashtam:app.port", "80000"]),
        ("postgres", {"tuning": "speed"}, ["tuning speed", "storage: tmpfs"]),
        ("redis", {"memory": "lots"}, ["dashtam:redis.memory", "lots", "512m"]),
        ("colour", {"red": 1}, ["dashtam:colour"]),
    ],
)
def test_a_wrong_value_is_told_before_anything_is_touched(
    further: Environment, checkout: Checkout, section: str, values: dict[str, object], parts: list[str]
) -> None:
    before = further.ids()
    checkout.configure(**{section: values})
    said = " ".join(_fails(checkout, within=30).split())
    assert [part for part in parts if part not in said] == []
    assert further.ids() == before
    _comes_up(further, checkout)


def test_a_wrong_passphrase(further: Environment, checkout: Checkout) -> None:
    before = further.ids()
    said = _fails(checkout, within=30, PULUMI_CONFIG_PASSPHRASE="not the one")
    assert "incorrect passphrase" in said
    assert "What to do: Use the passphrase that the stack was made with: unset PULUMI_CONFIG_PASSPHRASE" in said
    assert further.ids() == before
    _comes_up(further, checkout)


def test_an_engine_that_does_not_answer(checkout: Checkout, tmp_path: Path) -> None:
    said = _fails(checkout, within=30, DOCKER_HOST=f"unix://{tmp_path}/none.sock")
    assert "none.sock" in said
    assert "What to do:" in said
