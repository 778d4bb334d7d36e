"""What stops or removes an environment needs no image that isn't here, as after an update of the project offline."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING

from cli.data.snapshots import manifest
from infra.catalogue import POSTGRES, REDIS
from tests.system import environments
from tests.system.running import succeed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import docker

    from tests.system.checkout import Checkout

KEPT = {"postgres.tar", "redis.tar", "session-key.json", "token-keys.json"}


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


def test_an_environment_is_stopped_kept_and_removed_without_the_images_of_now(
    small: Checkout, client: docker.DockerClient
) -> None:
    with _other_pins(small):
        # With the image that the services run, and then, after `down`, with the one that they ran.
        running = json.loads(succeed(small.dashtam("snapshot", "create", small.stack, "--json")))
        down = small.dashtam("down", small.stack, "--no-install")
        destroyed = small.dashtam("destroy", small.stack, "--yes", "--no-install", "--json")
    succeed(down)
    [removed] = json.loads(succeed(destroyed))["environments"]
    assert client.api.containers(all=True, filters=environments.labelled(small.stack)) == []
    assert not client.api.volumes(filters=environments.labelled(small.stack))["Volumes"]
    assert [word for word in ("pulling", "building") if word in down.stderr + destroyed.stderr] == []
    # That such a snapshot comes back is in test_destroy.py.
    _assert_whole(small.home / "snapshots" / small.stack / running["name"])
    _assert_whole(small.home / "snapshots" / small.stack / removed["snapshot"]["name"])


def _assert_whole(path: Path) -> None:
    taken = manifest.read(path)
    manifest.verify(path, taken, lambda _: None)
    assert taken.pieces.keys() == KEPT
