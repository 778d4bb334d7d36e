"""The files that a service reads at its start, installed on a real engine.

That services are replaced with other files, and only then, is shown with the renewal of certificates.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.naming import STACK_LABEL
from tests.system.commands.additional import beside

if TYPE_CHECKING:
    import docker

    from tests.system.checkout import Checkout


def test_files_that_can_not_be_installed_fail_the_update(checkout: Checkout, client: docker.DockerClient) -> None:
    with beside(checkout, client, "full") as made:
        name = f"dashtam-{made.stack}-redis-files"
        labels = client.volumes.get(f"dashtam-{checkout.stack}-redis-files").attrs["Labels"]
        options = {"type": "tmpfs", "device": "tmpfs", "o": "size=4k"}
        client.volumes.create(name, driver="local", driver_opts=options, labels={**labels, STACK_LABEL: made.stack})
        done = made.dashtam("up", made.stack, "redis")
        assert done.returncode == 1
        # By the installer's report or by the program's own words, whichever comes first.
        assert f"dashtam-{made.stack}-files" in done.stderr
        assert "No space left on device" in done.stderr
        assert "Traceback" not in done.stderr
