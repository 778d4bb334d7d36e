"""What an environment keeps is kept when it is removed, unless one says otherwise."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.system import damage, environments, moments
from tests.system.commands.contents import Contents
from tests.system.running import succeed

if TYPE_CHECKING:
    import docker

    from tests.system.checkout import Checkout


FORGETFUL: dict[str, dict[str, object]] = {
    "postgres": {"storage": "tmpfs"},
    "redis": {"storage": "tmpfs", "persistence": "none"},
}
"""An edit of the config after which nothing is to be kept."""

AFTER = {
    "snapshot taken": (moments.snapshot_taken, damage.kill_group),
    "callback removed": (moments.removed("callback"), damage.kill_all),
    "data removed": (moments.data_gone, damage.kill_all),
}
MOMENTS = {"database stopped": (moments.stopped("postgres"), damage.kill_all), **AFTER}
"""Moments of `destroy`, those after there is a snapshot apart, and what is killed then."""


@pytest.fixture
def contents(checkout: Checkout, client: docker.DockerClient, tmp_path: Path) -> Contents:
    return Contents(checkout, client, tmp_path, checkout.stack)


def _names(checkout: Checkout) -> list[str]:
    return [one["name"] for one in json.loads(succeed(checkout.dashtam("snapshot", "list", checkout.stack, "--json")))]


def _states(checkout: Checkout, client: docker.DockerClient) -> dict[str, str]:
    """Return when each container was started."""
    found = client.containers.list(filters=environments.labelled(checkout.stack))
    return {one.name or "": one.attrs["State"]["StartedAt"] for one in found}


@pytest.mark.parametrize("edit", [{}, FORGETFUL], ids=["as it is", "edited to forget"])
async def test_a_snapshot_is_taken_first_and_brings_everything_back(
    checkout: Checkout, contents: Contents, edit: dict[str, dict[str, object]]
) -> None:
    await contents.fill()
    before, accounts = await contents.digest(), contents.accounts()
    known = set(_names(checkout))
    checkout.configure(**edit)
    try:
        done = json.loads(succeed(checkout.dashtam("destroy", checkout.stack, "--yes", "--json")))
    finally:
        checkout.configure()
    [taken] = set(_names(checkout)) - known
    assert done["snapshot"]["name"] == taken
    assert not contents.client.volumes.list(filters=environments.labelled(checkout.stack))
    succeed(checkout.dashtam("snapshot", "restore", checkout.stack, taken, "--yes"))
    assert await contents.digest() == before
    assert contents.accounts() == accounts


async def test_what_comes_up_empty_says_where_its_data_is(checkout: Checkout, contents: Contents) -> None:
    before = await contents.digest()
    done = json.loads(succeed(checkout.dashtam("destroy", checkout.stack, "--yes", "--json")))
    taken = done["snapshot"]["name"]
    brought_up = checkout.dashtam("up", checkout.stack)
    succeed(brought_up)
    assert f"`./dashtam snapshot restore {checkout.stack} {taken}`" in brought_up.stderr
    restored = checkout.dashtam("snapshot", "restore", checkout.stack, taken, "--yes")
    succeed(restored)
    assert "begins without data" not in restored.stderr
    assert await contents.digest() == before


async def test_an_edit_of_the_config_takes_no_data_with_it(checkout: Checkout, contents: Contents) -> None:
    before, started = await contents.digest(), _states(checkout, contents.client)
    checkout.configure(**FORGETFUL)
    try:
        refused = checkout.dashtam("up", checkout.stack)
        plain = checkout.pulumi("up", "--stack", checkout.stack, "--yes", "--skip-preview")
        asked = checkout.dashtam("destroy", checkout.stack, "--no-snapshot")
    finally:
        checkout.configure()
    for one in (refused, plain):
        assert one.returncode != 0
        assert "which its config no longer asks for" in one.stdout + one.stderr
        assert f"`./dashtam destroy {checkout.stack}`" in one.stdout + one.stderr
    assert asked.returncode == 1
    assert f"postgres_{checkout.stack}_data, redis_{checkout.stack}_data. Remove it for good?" in asked.stderr
    assert _states(checkout, contents.client) == started
    assert await contents.digest() == before


@pytest.mark.parametrize("arguments", [[], ["--no-snapshot"]])
def test_a_no_leaves_everything_as_it_was(
    checkout: Checkout, client: docker.DockerClient, arguments: list[str]
) -> None:
    started, known = _states(checkout, client), _names(checkout)
    # Nobody answers, which is a no.
    done = checkout.dashtam("destroy", checkout.stack, *arguments)
    assert done.returncode == 1
    assert f"keeps data in postgres_{checkout.stack}_data" in done.stderr
    assert _states(checkout, client) == started
    assert _names(checkout) == known


def test_who_cannot_read_the_state_stops_nothing(
    checkout: Checkout, client: docker.DockerClient, tmp_path: Path
) -> None:
    wrong = tmp_path / "wrong"
    wrong.write_text("wrong")
    started, known = _states(checkout, client), _names(checkout)
    done = checkout.dashtam("destroy", checkout.stack, "--yes", PULUMI_CONFIG_PASSPHRASE_FILE=str(wrong))
    assert done.returncode == 1
    assert "incorrect passphrase" in done.stderr
    assert _states(checkout, client) == started
    assert _names(checkout) == known


async def test_what_ran_goes_on_where_no_snapshot_can_be_taken(checkout: Checkout, contents: Contents) -> None:
    before = await contents.digest()
    image = contents.client.containers.get(f"dashtam-{checkout.stack}-redis").attrs["Image"]
    # A stranger has the name of what reads the data.
    stranger = contents.client.containers.create(image, name=f"dashtam-{checkout.stack}-snapshot-postgres")
    try:
        done = checkout.dashtam("destroy", checkout.stack, "--yes")
    finally:
        stranger.remove(v=True)
    assert done.returncode == 1
    assert "was not removed, since no snapshot" in done.stderr
    assert environments.is_up(contents.client, checkout.stack)
    assert await contents.digest() == before


@pytest.mark.parametrize("moment", MOMENTS)
async def test_one_command_brings_back_what_was_killed(checkout: Checkout, contents: Contents, moment: str) -> None:
    await contents.fill(100)
    before, accounts = await contents.digest(), contents.accounts()
    scene = moments.now(checkout, contents.client)
    moments.kill(scene, *MOMENTS[moment], "destroy", checkout.stack, "--yes")
    taken = scene.snapshots() - scene.known
    if taken:
        succeed(checkout.dashtam("snapshot", "restore", checkout.stack, *taken, "--yes"))
    else:
        checkout.up()
    assert bool(taken) is (moment in AFTER)
    assert environments.is_up(contents.client, checkout.stack)
    assert await contents.digest() == before
    assert contents.accounts() == accounts


def test_a_removal_that_was_killed_ends_with_the_next(checkout: Checkout, client: docker.DockerClient) -> None:
    scene = moments.now(checkout, client)
    moments.kill(scene, moments.data_gone, damage.kill_all, "destroy", checkout.stack, "--yes", "--no-snapshot")
    succeed(checkout.dashtam("destroy", checkout.stack, "--yes", "--no-snapshot"))
    chosen = environments.labelled(checkout.stack)
    assert not client.containers.list(all=True, filters=chosen)
    assert not client.volumes.list(filters=chosen)
    checkout.up()


def test_without_a_snapshot_none_is_left(checkout: Checkout) -> None:
    known = _names(checkout)
    succeed(checkout.dashtam("destroy", checkout.stack, "--yes", "--no-snapshot"))
    assert _names(checkout) == known
    checkout.up()
