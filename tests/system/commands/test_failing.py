"""A service that can't become healthy: what it says is shown, and one that ended ends the update."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import docker
import pytest

from tests.system import damage, environments
from tests.system.running import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.system.checkout import Checkout

SOON = 60.0
"""Seconds on a busy machine; the program waits much longer for health (`checkout.BUSY`)."""

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


@pytest.fixture(autouse=True, scope="module")
def whole(checkout: Checkout, client: docker.DockerClient) -> Iterator[None]:
    """Bring the environment up after all of these tests: each one's update starts from what the last one left."""
    yield
    checkout.configure()
    checkout.up()
    assert environments.is_up(client, checkout.stack)


@pytest.fixture(autouse=True)
def gone(checkout: Checkout, client: docker.DockerClient) -> Iterator[None]:
    """Remove the app's container, so that an update has to make it."""
    with suppress(docker.errors.NotFound):
        client.api.remove_container(f"dashtam-{checkout.stack}-app", v=True, force=True)
    yield
    checkout.configure()


@pytest.mark.parametrize("restart", ["no", "unless-stopped"])
def test_one_that_ends_at_once_or_again_and_again_ends_the_update(checkout: Checkout, restart: str) -> None:
    checkout.configure(containers={"restart": restart})
    with broken(checkout, "run/app.py"):
        done = checkout.dashtam("up", checkout.stack)
    assert done.returncode == 1
    assert "was not healthy within" not in done.stderr
    assert f"dashtam-{checkout.stack}-app: " in done.stderr
    assert "  | SyntaxError: invalid syntax" in done.stderr
    assert f"run `./dashtam up {checkout.stack}` again" in " ".join(done.stderr.split())


def test_patience_ends_when_it_is_to(checkout: Checkout) -> None:
    with broken(checkout, "main.py"):
        done = checkout.dashtam("up", checkout.stack, "--wait-timeout", "5s")
    assert done.returncode == 1
    assert "It was not done within 5 s (--wait-timeout)." in done.stderr


def test_one_that_is_not_healthy_says_why_while_it_is_waited_for_and_may_recover(
    checkout: Checkout, client: docker.DockerClient, tmp_path: Path
) -> None:
    written = tmp_path / "said"
    with broken(checkout, "main.py") as source:
        whole_source = source.read_text().removesuffix(BROKEN)
        process = checkout.start("up", checkout.stack, said=written)
        with damage.at_latest_killed(process):
            wait_until(lambda: "SyntaxError: invalid syntax" in written.read_text(), "its last lines are shown", SOON)
            assert process.poll() is None
            source.write_text(whole_source)
            assert process.wait(SOON) == 0, written.read_text()
    said = written.read_text()
    assert f"{checkout.stack} app: waiting for health (" in said
    assert environments.is_up(client, checkout.stack)
