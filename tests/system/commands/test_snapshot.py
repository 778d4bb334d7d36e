"""Snapshots of a real environment: bit-exact after everything was removed, and never half put back."""

from __future__ import annotations

import asyncio
import json
import math
import random
import shutil
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING
from unittest.mock import Mock

import pytest

from cli.clone import Clone
from cli.errors import UserError
from cli.snapshots import manifest, parts, restore
from cli.snapshots.journal import Phase
from tests.system import damage, environments
from tests.system.commands.contents import Contents
from tests.system.commands.passphrases import another
from tests.system.commands.restoring import Restore, killed_when
from tests.system.running import PATIENCE, succeed, wait_until

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    import docker

    from tests.system.checkout import Checkout

SEED = 20260501
FLIPS = 100
BY_COMMAND = 20
"""Every so many of them the command itself is run."""


@pytest.fixture
def contents(checkout: Checkout, client: docker.DockerClient, tmp_path: Path) -> Contents:
    return Contents(checkout, client, tmp_path, checkout.stack)


def _take(checkout: Checkout) -> Path:
    taken = json.loads(succeed(checkout.dashtam("snapshot", "create", checkout.stack, "--json")))
    return Path(taken["path"])


def _restore(checkout: Checkout, name: str) -> dict[str, object]:
    said = succeed(checkout.dashtam("snapshot", "restore", checkout.stack, name, "--yes", "--json"))
    done: dict[str, object] = json.loads(said)
    return done


def _assert_no_trace(checkout: Checkout, client: docker.DockerClient) -> None:
    """No helper, no journal, and nothing in the volumes but the data."""
    found = client.containers.list(all=True, filters=environments.labelled(checkout.stack))
    assert not [one.name for one in found if "snapshot" in (one.name or "")]
    assert not (checkout.home / f"restoring/{checkout.stack}.json").exists()
    for service, folder in (("postgres", "/var/lib/postgresql/data"), ("redis", "/data")):
        listed = client.containers.get(f"dashtam-{checkout.stack}-{service}").exec_run(["ls", "-A", folder]).output
        assert b".dashtam" not in listed


async def test_data_comes_back_bit_exact_after_everything_was_removed(
    checkout: Checkout, contents: Contents, client: docker.DockerClient
) -> None:
    account = await contents.fill()
    before, accounts = await contents.digest(), contents.accounts()
    path = _take(checkout)
    assert path.stat().st_mode & 0o777 == 0o700
    assert {one.stat().st_mode & 0o777 for one in path.iterdir()} == {0o600}
    succeed(checkout.dashtam("destroy", checkout.stack, "--yes"))
    assert not client.volumes.list(filters=environments.labelled(checkout.stack))
    # Everything is made anew, passwords and keys too.
    done = _restore(checkout, path.name)
    assert done["rewrapped"]
    assert not done["lost"]
    assert environments.is_up(client, checkout.stack)
    assert await contents.digest() == before
    assert contents.accounts() == accounts
    assert accounts[account] == ["active", f"access-{account}", f"refresh-{account}"]
    _assert_no_trace(checkout, client)
    succeed(checkout.pulumi("preview", "--stack", checkout.stack, "--expect-no-changes"))


async def test_all_but_tokens_comes_back_without_the_passphrase_of_that_time(
    checkout: Checkout, contents: Contents
) -> None:
    account = await contents.fill()
    before, accounts = await contents.rows(), contents.accounts()
    path = _take(checkout)
    succeed(checkout.dashtam("destroy", checkout.stack, "--yes", "--no-snapshot"))
    checkout.up()
    with another(checkout):
        assert _restore(checkout, path.name)["lost"] == len(accounts)
    assert contents.accounts()[account][0] == "revoked"
    # With the passphrase of that time in its place, the same command brings them back.
    assert _restore(checkout, path.name)["lost"] == 0
    assert contents.accounts() == accounts
    assert await contents.rows() == before


async def test_no_connection_is_lost_while_one_is_taken(checkout: Checkout, contents: Contents) -> None:
    await contents.fill()
    app = contents.client.containers.get(checkout.outputs()["containers"]["app"])
    started = app.attrs["State"]["StartedAt"]
    backend = "SELECT pg_backend_pid()"
    async with contents.session() as session:
        before = await session.fetchval(backend)
        taking = asyncio.create_task(asyncio.to_thread(_take, checkout))
        while not taking.done():
            assert await session.fetchval(backend) == before
            await asyncio.wait([taking], timeout=0.01)
        assert taking.result().is_dir()
        assert await session.fetchval(backend) == before
    app.reload()
    assert app.attrs["State"]["StartedAt"] == started


def test_an_update_right_after_it_lets_services_be(checkout: Checkout, client: docker.DockerClient) -> None:
    def ids() -> set[str | None]:
        return {one.id for one in client.containers.list(filters=environments.labelled(checkout.stack))}

    before = ids()
    _take(checkout)
    # Until a check ends, the engine calls unhealthy what was paused.
    checkout.up()
    assert ids() == before
    wait_until(lambda: environments.is_up(client, checkout.stack), "the services are healthy")


async def test_a_stopped_environment_gives_one_too(checkout: Checkout, contents: Contents) -> None:
    await contents.fill()
    before = await contents.digest()
    for container in contents.client.containers.list(filters=environments.labelled(checkout.stack)):
        container.stop()
    path = _take(checkout)
    checkout.up()
    await contents.fill()
    assert await contents.digest() != before
    _restore(checkout, path.name)
    assert await contents.digest() == before


async def test_a_snapshot_with_one_flipped_byte_is_refused(
    checkout: Checkout, contents: Contents, client: docker.DockerClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = random.Random(SEED)  # noqa: S311 - where, not a secret
    path = _take(checkout)
    made = manifest.read(path)
    settings = Mock(postgres=Mock(database=made.database, user=made.user))
    monkeypatch.setattr(parts, "of", Mock(return_value=(settings, Mock(), [])))
    before = await contents.digest()
    ids = {one.id for one in client.containers.list(filters=environments.labelled(checkout.stack))}
    files = sorted(path.iterdir())
    weights = [one.stat().st_size for one in files]
    # Half of them anywhere, half of them spread over the files, since nearly all bytes are the database's.
    targets = [*chosen.choices(files, weights, k=FLIPS // 2), *(files[n % len(files)] for n in range(FLIPS // 2))]
    positions = [(one, chosen.randrange(one.stat().st_size), chosen.randrange(8)) for one in targets]
    for number, position in enumerate(positions):
        _flip(*position)
        _assert_refused_before_the_engine_is_asked(checkout, path)
        if number % BY_COMMAND == 0:
            refused = checkout.dashtam("snapshot", "restore", checkout.stack, path.name, "--yes")
            assert refused.returncode == 1
            assert "damaged; nothing was changed" in refused.stderr
        _flip(*position)
    manifest.verify(path, manifest.read(path), lambda _: None)
    assert await contents.digest() == before
    assert {one.id for one in client.containers.list(filters=environments.labelled(checkout.stack))} == ids


def _assert_refused_before_the_engine_is_asked(checkout: Checkout, path: Path) -> None:
    """Restore as the command does, without the seconds in which it makes the machine ready."""
    session = Mock(clone=Clone("", checkout.root, path.parents[2]))
    with pytest.raises(UserError, match="damaged; nothing was changed"):
        restore.restore(session, checkout.stack, path.name)
    assert session.mock_calls == []


def _flip(file: Path, position: int, bit: int) -> None:
    with file.open("r+b") as opened:
        opened.seek(position)
        byte = opened.read(1)[0]
        opened.seek(position)
        opened.write(bytes([byte ^ (1 << bit)]))


@pytest.mark.parametrize(
    ("moment", "switched"),
    [
        (Restore.is_staging, False),
        (Restore.is_opening, False),
        (Restore.is_switching, True),
        (Restore.is_stopping, True),
        (Restore.is_resuming, True),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
async def test_a_restore_that_was_killed_leaves_the_old_or_the_new_whole(
    checkout: Checkout,
    contents: Contents,
    client: docker.DockerClient,
    moment: Callable[[Restore], Awaitable[bool]],
    switched: bool,
) -> None:
    await contents.fill()
    new = await contents.digest(), contents.accounts()
    path = _take(checkout)
    await contents.fill()
    old = await contents.digest(), contents.accounts()
    assert old != new
    seen = Restore(checkout, client)
    process = checkout.start("snapshot", "restore", checkout.stack, path.name, "--yes")
    await killed_when(process, lambda: moment(seen))
    # Between what was seen and the kill it may have come to the point from which there is no way back.
    switched = switched or seen.phase() is Phase.SWITCHING
    checkout.up()
    assert environments.is_up(client, checkout.stack)
    _assert_no_trace(checkout, client)
    assert (await contents.digest(), contents.accounts()) == (new if switched else old)


async def test_a_restore_of_all_there_was_goes_on_after_it_was_killed(checkout: Checkout, contents: Contents) -> None:
    await contents.fill()
    before, accounts = await contents.digest(), contents.accounts()
    path = _take(checkout)
    succeed(checkout.dashtam("destroy", checkout.stack, "--yes", "--no-snapshot"))
    process = checkout.start("snapshot", "restore", checkout.stack, path.name, "--yes")

    async def has_a_container() -> bool:
        return bool(contents.client.api.containers(all=True, filters=environments.labelled(checkout.stack)))

    await killed_when(process, has_a_container)
    _restore(checkout, path.name)
    assert await contents.digest() == before
    assert contents.accounts() == accounts
    _assert_no_trace(checkout, contents.client)


async def test_services_go_on_when_the_command_is_killed_while_they_stand_still(
    checkout: Checkout, contents: Contents
) -> None:
    before = await contents.digest()
    names = [f"dashtam-{checkout.stack}-{service}" for service in ("postgres", "redis")]

    def states() -> set[str]:
        return {contents.client.containers.get(name).status for name in names}

    now = math.ceil(time.time())
    # Without `since` the engine tells again what it remembers, such as the pauses of other snapshots.
    pauses = contents.client.events(
        since=now, until=now + int(PATIENCE), filters={**environments.labelled(checkout.stack), "event": "pause"}
    )
    process = checkout.start("snapshot", "create", checkout.stack)
    with damage.at_latest_killed(process):
        next(pauses)
        # So that it can't let them go on while they are looked at.
        process.send_signal(signal.SIGSTOP)
        assert "paused" in states()
        damage.kill_group(process)
    wait_until(lambda: states() == {"running"}, "Postgres and Redis go on")
    assert await contents.digest() == before
    assert _take(checkout).is_dir()
    assert not list((checkout.home / "snapshots" / checkout.stack).glob(".*"))


async def test_a_restore_that_fails_leaves_the_old_data(
    checkout: Checkout, contents: Contents, client: docker.DockerClient
) -> None:
    path = _take(checkout)
    await contents.fill()
    before = await contents.digest()
    document = manifest.read(path)
    # All of its checksums are right, but it is no database: found out when it is opened beside the old one.
    (path / "postgres.tar").write_bytes((path / "redis.tar").read_bytes())
    pieces = {**document.pieces, "postgres.tar": document.pieces["redis.tar"]}
    for name, content in manifest.files(document.model_copy(update={"pieces": pieces})):
        (path / name).write_bytes(content)
    refused = checkout.dashtam("snapshot", "restore", checkout.stack, path.name, "--yes")
    assert refused.returncode == 1
    assert "can't be opened; nothing was changed" in refused.stderr
    assert await contents.digest() == before
    _assert_no_trace(checkout, client)


async def test_one_of_a_newer_service_is_refused(
    checkout: Checkout, contents: Contents, client: docker.DockerClient
) -> None:
    now = await contents.claim_revision("9999")
    try:
        path = _take(checkout)
    finally:
        await contents.claim_revision(now)
    before = await contents.digest()
    refused = checkout.dashtam("snapshot", "restore", checkout.stack, path.name, "--yes")
    assert refused.returncode == 1
    assert "newer version of the service; nothing was changed" in refused.stderr
    assert await contents.digest() == before
    _assert_no_trace(checkout, client)


def test_another_major_version_is_refused(checkout: Checkout) -> None:
    path = _take(checkout)
    made = manifest.read(path).model_copy(update={"postgres": "16"})
    for name, content in manifest.files(made):
        (path / name).write_bytes(content)
    refused = checkout.dashtam("snapshot", "restore", checkout.stack, path.name, "--yes")
    assert refused.returncode == 1
    assert "PostgreSQL 16" in refused.stderr
    assert "dashtam backup" in refused.stderr


def test_they_are_listed_and_deleted(checkout: Checkout) -> None:
    path = _take(checkout)
    listed = json.loads(succeed(checkout.dashtam("snapshot", "list", checkout.stack, "--json")))
    [row] = [one for one in listed if one["name"] == path.name]
    assert row["bytes"] > 0
    assert row["damage"] is None
    succeed(checkout.dashtam("snapshot", "delete", checkout.stack, path.name))
    assert not path.exists()
    again = checkout.dashtam("snapshot", "delete", checkout.stack, path.name)
    assert again.returncode == 2


def test_an_environment_in_memory_is_told(checkout: Checkout) -> None:
    shutil.copy(checkout.root / "Pulumi.test.yaml", checkout.root / "Pulumi.forgetful.yaml")
    try:
        refused = checkout.dashtam("snapshot", "create", "forgetful")
    finally:
        (checkout.root / "Pulumi.forgetful.yaml").unlink()
    assert refused.returncode == 2
    assert "in memory" in refused.stderr
    assert "dashtam backup forgetful FILE" in refused.stderr
