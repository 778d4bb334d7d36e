"""A service that can't become healthy: what it says is shown at once, and what can't mend itself ends the update."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from tests.system import damage, environments
from tests.system.running import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import docker

    from tests.system.checkout import Checkout

SOON = 60.0
"""Seconds, on a busy machine; the program waits 90 for health."""

BROKEN = "def broken(:\n"


@contextmanager
def broken(checkout: Checkout, module: str) -> Iterator[Path]:
    """Break a module of the mounted source."""
    source = checkout.root / "app" / module
    whole = source.read_text()
    source.write_text(f"{whole}{BROKEN}")
    try:
        yield source
    finally:
        source.write_text(whole)


@pytest.mark.parametrize("restart", ["no", "unless-stopped"])
def test_one_that_ends_at_once_or_again_and_again_ends_the_update_soon(
    spare: Checkout, client: docker.DockerClient, restart: str
) -> None:
    spare.up()
    spare.configure(app={"debug": False, "testing": True}, containers={"restart": restart})
    with broken(spare, "server.py"):
        began = time.monotonic()
        done = spare.dashtam("up", spare.stack)
        took = time.monotonic() - began
    spare.configure()
    assert done.returncode == 1
    assert took < SOON, done.stderr
    app = f"dashtam-{spare.stack}-app"
    assert f"{app}: " in done.stderr
    assert "  | SyntaxError: invalid syntax" in done.stderr
    assert f"run `./dashtam up {spare.stack}` again" in " ".join(done.stderr.split())
    spare.up()
    assert environments.is_up(client, spare.stack)


def test_one_that_is_not_healthy_says_why_while_it_is_waited_for_and_may_be_mended(
    spare: Checkout, client: docker.DockerClient, tmp_path: Path
) -> None:
    spare.up()
    spare.configure(app={"debug": False, "testing": True})
    written = tmp_path / "said"
    with broken(spare, "main.py") as source:
        whole = source.read_text().removesuffix(BROKEN)
        process = spare.start("up", spare.stack, said=written)
        with damage.at_latest_killed(process):
            wait_until(lambda: "SyntaxError: invalid syntax" in written.read_text(), "its last lines are shown", SOON)
            assert process.poll() is None
            source.write_text(whole)
            assert process.wait(SOON) == 0, written.read_text()
    said = written.read_text()
    assert f"{spare.stack} app: waiting for health (" in said
    assert ": https://localhost:8000/ready: " in said
    assert "last health check: exit status 1: https://localhost:8000/ready: " in said
    spare.configure()
    spare.up()
    assert environments.is_up(client, spare.stack)


def test_one_that_never_becomes_healthy_is_given_up_in_good_order(spare: Checkout, client: docker.DockerClient) -> None:
    spare.up()
    spare.configure(app={"debug": False, "testing": True}, health={"wait": "20s"})
    with broken(spare, "main.py"):
        done = spare.dashtam("up", spare.stack)
    spare.configure()
    assert done.returncode == 1
    assert "was not healthy within 20 s (dashtam:health.wait)." in done.stderr
    assert "panic" not in done.stderr
    assert "goroutine" not in done.stderr
    spare.up()
    assert environments.is_up(client, spare.stack)


def test_patience_ends_when_it_is_to(spare: Checkout, client: docker.DockerClient) -> None:
    spare.up()
    spare.configure(app={"debug": False, "testing": True})
    with broken(spare, "main.py"):
        done = spare.dashtam("up", spare.stack, "--wait-timeout", "12s")
    spare.configure()
    assert done.returncode == 1
    assert "It was not done within 12 s (--wait-timeout)." in done.stderr
    spare.up()
    assert environments.is_up(client, spare.stack)
