"""A snapshot put back: the old or the new data whole, whatever happens, and nothing changed where it is refused."""

from __future__ import annotations

import io
import random
import signal
import tarfile
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from unittest.mock import Mock

import pytest

from cli.core.errors import UserError
from cli.data.restore_journal import Phase
from cli.data.snapshots import manifest
from cli.environments.clone import Clone
from cli.environments.handle import EnvironmentHandle
from cli.operations import data_parts, restore_snapshot
from infra.naming import SERVICES
from tests.system import environments
from tests.system.commands import snapshots
from tests.system.commands.restoring import Restore, ended_when, killed_when
from tests.system.running import succeed, wait_until

if TYPE_CHECKING:
    import docker

    from tests.system.checkout import Checkout
    from tests.system.commands.contents import Contents

SEED = 20260501


@dataclass(frozen=True)
class Taken:
    """A snapshot.

    Args:
        path: Where it is.
        digest: A checksum over the data that it was taken of.
    """

    path: Path
    digest: str


@pytest.fixture(scope="module")
async def taken(small: Checkout, small_contents: Contents, client: docker.DockerClient) -> Taken:
    small.ensure_up(client)
    return await _take(small, small_contents)


async def _take(checkout: Checkout, contents: Contents) -> Taken:
    await contents.fill()
    digest = await contents.digest()
    return Taken(snapshots.take(checkout), digest)


Moment = Callable[[Restore], Awaitable[bool]]


@pytest.mark.parametrize(("moment", "switched"), [(Restore.is_opening, False), (Restore.is_stopping, True)])
async def test_a_restore_that_was_killed_leaves_the_old_or_the_new_whole(
    small: Checkout,
    small_contents: Contents,
    client: docker.DockerClient,
    taken: Taken,
    moment: Moment,
    switched: bool,
) -> None:
    await _assert_whole(small, small_contents, client, taken, moment, switched=switched)


@pytest.mark.campaign
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
async def test_with_all_services_it_leaves_them_with_the_old_or_the_new(
    checkout: Checkout, contents: Contents, client: docker.DockerClient, moment: Moment, switched: bool
) -> None:
    contents.accounts("ada")
    taken = await _take(checkout, contents)
    await _assert_whole(checkout, contents, client, taken, moment, switched=switched)
    assert contents.accounts()["ada"] == ["active", "access-ada", "refresh-ada"]


async def _assert_whole(
    checkout: Checkout,
    contents: Contents,
    client: docker.DockerClient,
    taken: Taken,
    moment: Moment,
    *,
    switched: bool,
) -> None:
    await contents.fill()
    old = await contents.digest()
    assert old != taken.digest
    seen = Restore(checkout, client)
    process = checkout.start("snapshot", "restore", checkout.stack, taken.path.name, "--yes", "--no-snapshot")
    await killed_when(process, lambda: moment(seen))
    # Between what was seen and the kill it may have come to the point from which there is no way back.
    switched = switched or seen.phase() is Phase.SWAPPING
    checkout.up()
    assert environments.is_up(client, checkout.stack, services=checkout.services or SERVICES)
    assert snapshots.traces(checkout, client) == []
    assert await contents.digest() == (taken.digest if switched else old)


async def test_a_restore_that_a_signal_ends_while_services_are_stopped_starts_them_again(
    small: Checkout, small_contents: Contents, client: docker.DockerClient, taken: Taken
) -> None:
    await small_contents.fill()
    seen = Restore(small, client)
    process = small.start("snapshot", "restore", small.stack, taken.path.name, "--yes", "--no-snapshot")
    assert await ended_when(process, seen.is_stopping, signal.SIGTERM) == 128 + signal.SIGTERM
    wait_until(lambda: environments.is_up(client, small.stack, services=small.services), "healthy again", 60)
    assert snapshots.traces(small, client) == []
    assert await small_contents.digest() == taken.digest


@pytest.mark.campaign
async def test_a_restore_into_nothing_that_was_killed_is_finished_by_the_next(
    checkout: Checkout, contents: Contents, client: docker.DockerClient
) -> None:
    await contents.fill()
    accounts = contents.accounts("ada")
    before = await contents.digest()
    path = snapshots.take(checkout)
    assert checkout.dashtam("destroy", checkout.stack, "--yes", "--no-snapshot").returncode == 0
    process = checkout.start("snapshot", "restore", checkout.stack, path.name, "--yes", "--no-snapshot")

    async def has_a_container() -> bool:
        return bool(client.api.containers(all=True, filters=environments.labelled(checkout.stack)))

    await killed_when(process, has_a_container)
    snapshots.restore(checkout, path.name)
    assert await contents.digest() == before
    assert contents.accounts() == accounts
    assert snapshots.traces(checkout, client) == []


@pytest.mark.parametrize(
    ("flips", "by_command"), [(10, 1), pytest.param(100, 5, marks=[pytest.mark.campaign, pytest.mark.timeout(600)])]
)
async def test_one_with_a_flipped_byte_is_refused(
    small: Checkout,
    small_contents: Contents,
    client: docker.DockerClient,
    taken: Taken,
    monkeypatch: pytest.MonkeyPatch,
    flips: int,
    by_command: int,
) -> None:
    chosen = random.Random(SEED)  # noqa: S311 - where, not a secret
    path = taken.path
    made = manifest.read(path)
    settings = Mock(postgres=Mock(database=made.database, user=made.user))
    parts = [Mock(service=service) for service in made.images]
    monkeypatch.setattr(data_parts, "parts_by_config", Mock(return_value=(settings, parts)))
    before = await small_contents.digest()
    ids = _ids(small, client)
    files = sorted(path.iterdir())
    weights = [one.stat().st_size for one in files]
    # Half of them anywhere, half of them spread over the files, since nearly all bytes are the database's.
    targets = [*chosen.choices(files, weights, k=flips // 2), *(files[n % len(files)] for n in range(flips // 2))]
    accepted = []
    for number, target in enumerate(targets):
        position, bit = chosen.randrange(target.stat().st_size), chosen.randrange(8)
        _flip(target, position, bit)
        try:
            if not _is_refused_before_the_engine_is_asked(small, path):
                accepted.append((target.name, position, bit))
            if number % (flips // by_command) == 0:
                _assert_refused(small, path.name, "damaged; nothing was changed")
        finally:
            _flip(target, position, bit)
    assert accepted == []
    manifest.verify(path, manifest.read(path), lambda _: None)
    assert await small_contents.digest() == before
    assert _ids(small, client) == ids


async def test_an_entry_of_another_owner_in_a_volume_is_no_obstacle(
    small: Checkout, small_contents: Contents, client: docker.DockerClient, taken: Taken
) -> None:
    redis = client.containers.get(f"dashtam-{small.stack}-redis")
    with io.BytesIO() as content:
        with tarfile.open(fileobj=content, mode="w") as files:
            for name in ("mydir", "mydir/sub"):
                made = tarfile.TarInfo(name)
                made.type, made.mode = tarfile.DIRTYPE, 0o700
                files.addfile(made)
        assert redis.put_archive("/data", content.getvalue())
    snapshots.restore(small, taken.path.name)
    assert await small_contents.digest() == taken.digest
    assert redis.exec_run(["ls", "/data/mydir"]).exit_code != 0
    assert snapshots.traces(small, client) == []


async def test_one_is_restored_where_no_service_starts_on_the_present_data(
    small: Checkout, small_contents: Contents, client: docker.DockerClient, taken: Taken
) -> None:
    harm = 'for one in /data/appendonlydir/*.base.rdb; do echo damaged > "$one"; done'
    harmed = client.containers.get(f"dashtam-{small.stack}-redis").exec_run(["sh", "-euc", harm])
    assert harmed.exit_code == 0, harmed.output
    succeed(small.dashtam("down", small.stack))
    assert small.dashtam("up", small.stack, *small.services).returncode == 1
    succeed(small.dashtam("down", small.stack))
    snapshots.restore(small, taken.path.name)
    assert environments.is_up(client, small.stack, services=small.services)
    assert await small_contents.digest() == taken.digest
    assert snapshots.traces(small, client) == []


def _is_refused_before_the_engine_is_asked(checkout: Checkout, path: Path) -> bool:
    """Restore as the command does, without the seconds in which it makes the machine ready."""
    engine, clone = Mock(), Clone("", checkout.root, path.parents[2])
    session = Mock(clone=clone, environment=lambda stack: EnvironmentHandle(stack, clone, engine))
    try:
        restore_snapshot.restore(session, checkout.stack, path.name)
    except UserError as error:
        return "damaged; nothing was changed" in error.message and session.mock_calls == engine.mock_calls == []
    return False


def _flip(file: Path, position: int, bit: int) -> None:
    with file.open("r+b") as opened:
        opened.seek(position)
        byte = opened.read(1)[0]
        opened.seek(position)
        opened.write(bytes([byte ^ (1 << bit)]))


def _ids(checkout: Checkout, client: docker.DockerClient) -> set[str]:
    return {one["Id"] for one in client.api.containers(filters=environments.labelled(checkout.stack))}


def _assert_refused(checkout: Checkout, name: str, *why: str) -> None:
    refused = checkout.dashtam("snapshot", "restore", checkout.stack, name, "--yes", "--no-snapshot")
    assert refused.returncode == 1
    assert [one for one in why if one not in refused.stderr] == []


async def test_one_that_cannot_be_opened_is_refused(
    small: Checkout, small_contents: Contents, client: docker.DockerClient, taken: Taken
) -> None:
    before = await small_contents.digest()
    path = snapshots.copied(taken.path, "no-database")
    document = manifest.read(path)
    # All of its checksums are right, but it is no database: found out when it is opened beside the old one.
    (path / "postgres.tar").write_bytes((path / "redis.tar").read_bytes())
    pieces = {**document.pieces, "postgres.tar": document.pieces["redis.tar"]}
    snapshots.rewrite(path, document.model_copy(update={"pieces": pieces}))
    _assert_refused(small, path.name, "PostgreSQL can't start with the snapshot's data; nothing was changed")
    assert await small_contents.digest() == before
    assert snapshots.traces(small, client) == []


async def test_one_of_a_newer_service_is_refused(
    small: Checkout, small_contents: Contents, client: docker.DockerClient
) -> None:
    # As the service of that version leaves it.
    async with small_contents.session() as session:
        await session.execute("CREATE TABLE alembic_version AS SELECT '9999' AS version_num")
        try:
            path = snapshots.take(small)
        finally:
            await session.execute("DROP TABLE alembic_version")
    before = await small_contents.digest()
    _assert_refused(small, path.name, "another version of the service; nothing was changed")
    assert await small_contents.digest() == before
    assert snapshots.traces(small, client) == []


def test_one_of_another_major_version_is_refused(small: Checkout, client: docker.DockerClient, taken: Taken) -> None:
    path = snapshots.copied(taken.path, "of-another-major")
    snapshots.rewrite(path, manifest.read(path).model_copy(update={"postgres": "16"}))
    _assert_refused(small, path.name, "PostgreSQL 16", "dashtam backup")
    assert snapshots.traces(small, client) == []
