"""What stops or removes an environment needs no image that isn't here, as after an update of the project offline."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING

from infra.catalogue import POSTGRES, REDIS
from tests.system import environments
from tests.system.running import succeed

if TYPE_CHECKING:
    from collections.abc import Iterator

    import docker

    from tests.system.checkout import Checkout
    from tests.system.commands.contents import Contents


@contextmanager
def _other_pins(checkout: Checkout) -> Iterator[None]:
    """Let the checkout ask for base images that nobody has, from either source."""
    lock, recipes = checkout.root / "images/lock.json", checkout.root / "images/base/other"
    before = lock.read_bytes() if lock.exists() else None
    recipes.write_text("another")
    lock.write_text(json.dumps({one.official: f"sha256:{'0' * 64}" for one in (POSTGRES, REDIS)}))
    try:
        yield
    finally:
        recipes.unlink()
        if before is None:
            lock.unlink()
        else:
            lock.write_bytes(before)


async def test_an_environment_is_stopped_kept_and_removed_without_the_images_of_now(
    checkout: Checkout, contents: Contents, client: docker.DockerClient
) -> None:
    await contents.fill()
    before = await contents.digest()
    with _other_pins(checkout):
        # With the image that the services run, and then, after `down`, with the one that they ran.
        succeed(checkout.dashtam("snapshot", "create", checkout.stack, "running"))
        down = checkout.dashtam("down", checkout.stack, "--no-install")
        destroyed = checkout.dashtam("destroy", checkout.stack, "--yes", "--no-install", "--json")
    succeed(down)
    [removed] = json.loads(succeed(destroyed))["environments"]
    kept = removed["snapshot"]
    assert client.api.containers(all=True, filters=environments.labelled(checkout.stack)) == []
    assert not client.api.volumes(filters=environments.labelled(checkout.stack))["Volumes"]
    assert [word for word in ("pulling", "building") if word in down.stderr + destroyed.stderr] == []
    succeed(checkout.dashtam("snapshot", "restore", checkout.stack, kept["name"], "--yes"))
    assert await contents.digest() == before
