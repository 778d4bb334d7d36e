"""What stands in the way of an environment is told before anything is changed: cause and remedy."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import libfaketime  # type: ignore[import-untyped]
import pytest
from rich.filesize import decimal

from cli.core.errors import UserError
from cli.engine.inventory import EngineView
from cli.environments.configuration import configuration
from cli.operations import preflight
from cli.operations.clock_and_disk import ROOM
from infra.config.placement import plain
from infra.naming import Naming
from tests.system import environments
from tests.system.running import run

if TYPE_CHECKING:
    from collections.abc import Callable

    import docker

    from tests.system.checkout import Checkout

    Take = Callable[[docker.DockerClient, str, str], Callable[[], None]]

FAKETIME = Path(libfaketime.__file__).parent / "vendor/libfaketime/src/libfaketime.so.1"
NOWHERE = f"127.0.0.1:9/postgres:17.6@sha256:{'0' * 64}"


def refused(checkout: Checkout, client: docker.DockerClient, *prefix: str, **env: str) -> str:
    """Return what `up` says when it refuses; nothing may have changed."""
    before = things(checkout, client)
    command = [*prefix, str(checkout.root / "dashtam"), "up", checkout.stack]
    done = run(command, cwd=checkout.root, env={**checkout.environ, **env})
    assert done.returncode == 1, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert "What to do:" in done.stderr
    assert things(checkout, client) == before
    return " ".join(done.stderr.split())


def things(checkout: Checkout, client: docker.DockerClient) -> set[str]:
    """Return the ids and names of all that the environment has on the engine."""
    chosen = environments.labelled(checkout.stack)
    found = [*client.api.containers(all=True, filters=chosen), *client.api.networks(filters=chosen)]
    return {one["Id"] for one in found} | {one["Name"] for one in client.api.volumes(filters=chosen)["Volumes"] or []}


@pytest.mark.parametrize("shift", ["-2d", pytest.param("+400d", marks=pytest.mark.campaign)])
def test_a_clock_that_is_wrong(checkout: Checkout, client: docker.DockerClient, shift: str) -> None:
    said = refused(checkout, client, LD_PRELOAD=str(FAKETIME), FAKETIME=shift)
    assert "The Docker engine's clock differs from this machine's by" in said
    assert f"{shift[1:-1]} days" in said


def _container(client: docker.DockerClient, stack: str, image: str) -> Callable[[], None]:
    made = client.containers.create(image, ["true"], name=f"dashtam-{stack}-redis")
    return lambda: made.remove(v=True)


def _network(client: docker.DockerClient, stack: str, _image: str) -> Callable[[], None]:
    return client.networks.create(f"dashtam-{stack}-network").remove


def _volume(client: docker.DockerClient, stack: str, _image: str) -> Callable[[], None]:
    return client.volumes.create(f"postgres_{stack}_data").remove


@pytest.mark.parametrize("take", [_container, _network, _volume])
def test_a_name_that_something_else_has(checkout: Checkout, client: docker.DockerClient, take: Take) -> None:
    """As `up` looks, without the seconds in which it starts: for an environment that has nothing on the engine."""
    stack = f"{checkout.stack}-absent"
    image = client.containers.get(f"dashtam-{checkout.stack}-redis").attrs["Image"]
    config = checkout.config_file.with_name(f"Pulumi.{stack}.yaml")
    config.write_text(checkout.pristine)
    free = take(client, stack, image)
    try:
        naming, found = Naming(stack, checkout.tools["DASHTAM_CLONE"]), configuration(checkout.root, stack)
        with pytest.raises(UserError) as refused:
            preflight.require_free(EngineView(client), naming, found, plain(stack))
    finally:
        free()
        config.unlink()
    kind = take.__name__.removeprefix("_")
    assert f"The {kind} name " in refused.value.message
    assert f"which {stack} needs, is taken" in refused.value.message
    assert refused.value.cause == f"There is a {kind} of that name that this project did not make."
    assert refused.value.remedy


def test_a_disk_that_is_full(checkout: Checkout, client: docker.DockerClient) -> None:
    """A small file system in the place of the engine's folder, as this command alone sees it."""
    folder = client.info()["DockerRootDir"]
    said = refused(checkout, client, *_with_small(folder, "64m"))
    assert f"The disk of {folder}, where the Docker engine keeps its data, is full." in said
    assert f"67.1 MB are free; an environment needs {decimal(ROOM)}." in said


def test_a_disk_without_room_for_the_state(checkout: Checkout, client: docker.DockerClient) -> None:
    said = refused(checkout, client, *_with_small(str(checkout.data), "16k"))
    assert f"The disk of {checkout.data}, where state and passphrases are kept, is full." in said


def _with_small(folder: str, size: str) -> list[str]:
    """Return what runs a command that sees a small, empty file system in a folder's place."""
    script = f'mount -t tmpfs -o size={size} none {shlex.quote(folder)} && exec "$@"'
    mapped = [] if os.geteuid() == 0 else ["--map-root-user"]
    return ["unshare", "--mount", *mapped, "sh", "-c", script, "sh"]


def test_an_image_that_cannot_be_had(checkout: Checkout, client: docker.DockerClient) -> None:
    before = things(checkout, client)
    checkout.configure(images={"postgres": NOWHERE})
    try:
        done = checkout.dashtam("up", checkout.stack)
    finally:
        checkout.configure()
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert NOWHERE.partition("@")[0] in done.stderr
    assert "What to do: See whether the registry can be reached" in " ".join(done.stderr.split())
    assert things(checkout, client) == before
    assert environments.is_up(client, checkout.stack)
