"""What an environment keeps is kept when it is removed, unless one says otherwise."""

from __future__ import annotations

import io
import re
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from tests.system import damage, environments, moments
from tests.system.commands import snapshots
from tests.system.running import run, succeed

if TYPE_CHECKING:
    from pathlib import Path

    import docker
    from docker.models.containers import Container

    from tests.system.checkout import Checkout
    from tests.system.commands.contents import Contents


FORGETFUL: dict[str, dict[str, object]] = {
    "postgres": {"storage": "tmpfs"},
    "redis": {"storage": "tmpfs", "persistence": "none"},
}
"""An edit of the config after which nothing is to be kept."""

FOLDER = "/theirs"

AFTER = {
    "snapshot taken": (moments.snapshot_taken, damage.kill_group),
    "callback removed": (moments.removed("callback"), damage.kill_all),
    "data removed": (moments.data_gone, damage.kill_all),
}
MOMENTS = {"database stopped": (moments.stopped("postgres"), damage.kill_all), **AFTER}
"""Moments of `destroy`, those after there is a snapshot apart, and what is killed then."""


def _states(checkout: Checkout, client: docker.DockerClient) -> dict[str, str]:
    """Return when each container was started."""
    found = client.api.containers(filters=environments.labelled(checkout.stack))
    return {one["Names"][0]: client.api.inspect_container(one["Id"])["State"]["StartedAt"] for one in found}


async def test_killed_after_data_is_gone_the_next_ends_it_and_the_snapshot_brings_all_back(
    small: Checkout, small_contents: Contents, client: docker.DockerClient
) -> None:
    await small_contents.fill()
    before = await small_contents.digest()
    scene = moments.now(small, client)
    small.configure(**FORGETFUL)
    try:
        moments.kill(scene, moments.data_gone, damage.kill_all, "destroy", small.stack, "--yes")
        succeed(small.dashtam("destroy", small.stack, "--yes", "--no-snapshot"))
    finally:
        small.configure()
    [taken] = scene.snapshots() - scene.known
    assert scene.containers() == {}
    assert scene.volumes() == set()
    brought_up = small.dashtam("up", small.stack, *small.services)
    succeed(brought_up)
    assert f"`./dashtam snapshot restore {small.stack} {taken}`" in brought_up.stderr
    restored = small.dashtam("snapshot", "restore", small.stack, taken, "--yes")
    succeed(restored)
    assert "starts without its data" not in restored.stderr
    assert await small_contents.digest() == before
    assert snapshots.traces(small, client) == []


async def test_killed_before_there_is_a_snapshot_the_next_update_brings_all_back(
    small: Checkout, small_contents: Contents, client: docker.DockerClient
) -> None:
    await small_contents.fill()
    before = await small_contents.digest()
    scene = moments.now(small, client)
    moments.kill(scene, *MOMENTS["database stopped"], "destroy", small.stack, "--yes")
    assert scene.snapshots() == scene.known
    small.up()
    assert environments.is_up(client, small.stack, services=small.services)
    assert await small_contents.digest() == before


async def test_an_edit_of_the_config_removes_no_data(
    small: Checkout, small_contents: Contents, client: docker.DockerClient
) -> None:
    before, started = await small_contents.digest(), _states(small, client)
    small.configure(**FORGETFUL)
    try:
        refused = small.dashtam("up", small.stack, *small.services)
        asked = small.dashtam("destroy", small.stack, "--no-snapshot")
    finally:
        small.configure()
    assert refused.returncode == 1
    assert "which its config no longer asks for" in refused.stderr
    assert f"`./dashtam destroy {small.stack}`" in refused.stderr
    # Nobody answers, which is a no.
    assert asked.returncode == 1
    assert f"postgres_{small.stack}_data, redis_{small.stack}_data. Remove it? The data will be lost." in asked.stderr
    assert _states(small, client) == started
    assert await small_contents.digest() == before


def test_who_cannot_read_the_state_stops_nothing(small: Checkout, client: docker.DockerClient, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong"
    wrong.write_text("wrong")
    started, scene = _states(small, client), moments.now(small, client)
    done = small.dashtam("destroy", small.stack, "--yes", PULUMI_CONFIG_PASSPHRASE_FILE=str(wrong))
    assert done.returncode == 1
    assert "incorrect passphrase" in done.stderr
    assert _states(small, client) == started
    assert scene.snapshots() == scene.known


async def test_what_ran_runs_again_where_no_snapshot_can_be_taken(
    small: Checkout, small_contents: Contents, client: docker.DockerClient
) -> None:
    before = await small_contents.digest()
    image = client.containers.get(f"dashtam-{small.stack}-redis").attrs["Image"]
    # A stranger has the name of what reads the data.
    stranger = client.containers.create(image, name=f"dashtam-{small.stack}-snapshot-postgres")
    try:
        done = small.dashtam("destroy", small.stack, "--yes")
    finally:
        stranger.remove(v=True)
    assert done.returncode == 1
    assert "was not removed, since no snapshot" in done.stderr
    assert environments.is_up(client, small.stack, services=small.services)
    assert await small_contents.digest() == before


def test_a_volume_of_others_that_has_the_name_stays(small: Checkout, client: docker.DockerClient) -> None:
    volume = f"postgres_{small.stack}_data"
    image = client.containers.get(f"dashtam-{small.stack}-postgres").attrs["Image"]
    succeed(small.dashtam("down", small.stack))
    client.volumes.get(volume).remove()
    client.volumes.create(volume)
    try:
        with _mounting(client, image, volume) as stranger:
            assert stranger.put_archive(FOLDER, _archive("theirs"))
        scene, state = moments.now(small, client), small.state().read_bytes()
        refused = small.dashtam("destroy", small.stack, "--yes")
        assert refused.returncode == 1
        said = " ".join(refused.stderr.split())
        assert f"the volume {volume} is not its own" in said
        assert small.state().read_bytes() == state
        assert scene.snapshots() == scene.known
        remedy = re.search(r"`(eval [^`]+)`", said)
        assert remedy
        succeed(run(["bash", "-euc", remedy[1]], cwd=small.root, env=small.environ))
        succeed(small.dashtam("destroy", small.stack, "--yes", "--no-snapshot"))
        assert scene.containers() == {}
        assert scene.volumes() == set()
        with _mounting(client, image, volume) as stranger:
            stream, _ = stranger.get_archive(f"{FOLDER}/file")
            assert b"theirs" in b"".join(stream)
    finally:
        client.volumes.get(volume).remove()


@contextmanager
def _mounting(client: docker.DockerClient, image: str, volume: str) -> Iterator[Container]:
    made = client.containers.create(image, volumes={volume: {"bind": FOLDER, "mode": "rw"}})
    try:
        yield made
    finally:
        made.remove(v=True)


def _archive(text: str) -> bytes:
    with io.BytesIO() as content:
        with tarfile.open(fileobj=content, mode="w") as files:
            file = tarfile.TarInfo("file")
            file.size = len(text)
            files.addfile(file, io.BytesIO(text.encode()))
        return content.getvalue()


@pytest.mark.campaign
@pytest.mark.parametrize("moment", MOMENTS)
async def test_one_command_brings_back_what_was_killed(
    checkout: Checkout, contents: Contents, client: docker.DockerClient, moment: str
) -> None:
    await contents.fill()
    accounts = contents.accounts("ada")
    before = await contents.digest()
    scene = moments.now(checkout, client)
    moments.kill(scene, *MOMENTS[moment], "destroy", checkout.stack, "--yes")
    taken = scene.snapshots() - scene.known
    assert bool(taken) is (moment in AFTER)
    if taken:
        succeed(checkout.dashtam("snapshot", "restore", checkout.stack, *taken, "--yes"))
    else:
        checkout.up()
    assert environments.is_up(client, checkout.stack)
    assert await contents.digest() == before
    assert contents.accounts() == accounts
