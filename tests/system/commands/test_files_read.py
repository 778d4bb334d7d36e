"""The files that a service reads at its start: with others it is replaced, with the same it stays."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.system.checkout import PUBLISHED, Checkout
from tests.system.running import succeed

if TYPE_CHECKING:
    import docker


def _containers(client: docker.DockerClient, checkout: Checkout) -> dict[str, str | None]:
    return {one: client.containers.get(f"dashtam-{checkout.stack}-{one}").id for one in PUBLISHED}


def _prune_installer(client: docker.DockerClient, checkout: Checkout) -> None:
    client.containers.get(f"dashtam-{checkout.stack}-files").remove()


def test_readers_are_replaced_when_their_files_are_others_and_only_then(
    checkout: Checkout, client: docker.DockerClient
) -> None:
    before = _containers(client, checkout)
    _prune_installer(client, checkout)
    checkout.up()
    assert _containers(client, checkout) == before
    _prune_installer(client, checkout)
    succeed(checkout.dashtam("certs", checkout.stack, "--renew"))
    after = _containers(client, checkout)
    assert {one for one in before if before[one] == after[one]} == set()


def test_files_that_can_not_be_installed_fail_the_update(checkout: Checkout, client: docker.DockerClient) -> None:
    name = f"dashtam-{checkout.stack}-sandbox-files"
    labels = client.volumes.get(name).attrs["Labels"]
    succeed(checkout.dashtam("destroy", checkout.stack, "--yes", "--no-snapshot"))
    options = {"type": "tmpfs", "device": "tmpfs", "o": "size=4k"}
    client.volumes.create(name, driver="local", driver_opts=options, labels=labels)
    try:
        done = checkout.dashtam("up", checkout.stack)
        assert done.returncode == 1
        # By the installer's report or by the program's own words, whichever comes first.
        assert f"dashtam-{checkout.stack}-files" in done.stderr
        assert "No space left on device" in done.stderr
        assert "Traceback" not in done.stderr
    finally:
        succeed(checkout.dashtam("destroy", checkout.stack, "--yes", "--no-snapshot"))
        checkout.up()
