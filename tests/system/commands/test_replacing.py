"""What a restore replaces is in a snapshot first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.system import moments
from tests.system.running import succeed

if TYPE_CHECKING:
    from pathlib import Path

    import docker

    from tests.system.checkout import Checkout
    from tests.system.commands.contents import Contents


async def test_what_a_restore_replaces_comes_back(
    checkout: Checkout, contents: Contents, client: docker.DockerClient, tmp_path: Path
) -> None:
    path, scene = tmp_path / "dev.backup", moments.now(checkout, client)
    succeed(checkout.dashtam("backup", checkout.stack, str(path)))
    await contents.fill()
    replaced = await contents.digest()

    done = checkout.dashtam("restore", checkout.stack, str(path), "--yes")
    succeed(done)
    [first] = scene.snapshots() - scene.known
    assert f"`./dashtam snapshot restore {checkout.stack} {first}`" in done.stderr
    assert await contents.digest() != replaced
    # What the snapshot replaces is in another one in its turn.
    succeed(checkout.dashtam("snapshot", "restore", checkout.stack, first, "--yes"))
    assert await contents.digest() == replaced
    assert len(scene.snapshots() - scene.known) == 2
