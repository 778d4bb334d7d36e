"""Backups of a real environment: put back whole or not at all."""

from __future__ import annotations

import io
import json
import random
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from unittest.mock import Mock

import pytest

from cli import database as databases
from cli.backups import archive, load
from cli.backups.archive import Label
from cli.backups.source import Source
from cli.database import derived
from cli.errors import UserError
from tests.system import environments
from tests.system.commands.restoring import killed_when
from tests.system.running import succeed, wait_until

if TYPE_CHECKING:
    import docker

    from tests.system.checkout import Checkout
    from tests.system.commands.contents import Contents

SEED = 20260502
RESTORING = derived("dashtam", "restoring")
OWN = {"dashtam", "postgres", "template0", "template1"}


@dataclass(frozen=True)
class Made:
    """A backup.

    Args:
        path: Where it is.
        rows: A checksum over the rows that it was made of.
    """

    path: Path
    rows: str

    def label(self) -> Label:
        """Return what it says of itself."""
        with self.path.open("rb") as file:
            return archive.read(Source(self.path.name, file))


@pytest.fixture(scope="module")
async def made(checkout: Checkout, contents: Contents, tmp_path_factory: pytest.TempPathFactory) -> Made:
    await contents.fill()
    rows = await contents.rows()
    return Made(_backup(checkout, tmp_path_factory.mktemp("backup")), rows)


def _backup(checkout: Checkout, folder: Path) -> Path:
    path = folder / "dev.backup"
    done = json.loads(succeed(checkout.dashtam("backup", checkout.stack, str(path), "--json")))
    assert done["bytes"] < path.stat().st_size
    assert path.stat().st_mode & 0o777 == 0o600
    return path


def _restore(checkout: Checkout, path: Path) -> None:
    done = json.loads(
        succeed(checkout.dashtam("restore", checkout.stack, str(path), "--yes", "--no-snapshot", "--json"))
    )
    assert done["lost"] == 0


def _assert_refused(checkout: Checkout, path: Path, why: str) -> None:
    refused = checkout.dashtam("restore", checkout.stack, str(path), "--yes", "--no-snapshot")
    assert refused.returncode == 1
    assert why in refused.stderr
    assert "nothing was changed" in refused.stderr


@pytest.mark.parametrize("flips", [10, pytest.param(100, marks=pytest.mark.campaign)])
def test_one_with_a_flipped_byte_is_refused(
    made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, flips: int
) -> None:
    chosen = random.Random(SEED)  # noqa: S311 - where, not a secret
    content = made.path.read_bytes()
    harmed = tmp_path / "harmed.backup"
    database = Mock()
    database.major.return_value = 17
    monkeypatch.setattr(databases, "of", Mock(return_value=database))
    for number in range(flips):
        # Half of them in what follows the archive.
        start = len(content) - 800 if number % 2 else 0
        position = chosen.randrange(start, len(content))
        flipped = bytes([content[position] ^ (1 << chosen.randrange(8))])
        harmed.write_bytes(content[:position] + flipped + content[position + 1 :])
        # As the command restores, without the second in which it starts.
        with pytest.raises(UserError, match="damaged or no backup; nothing was changed"):
            load.restore(Mock(), Mock(), str(harmed))
    assert {one[0] for one in database.mock_calls} <= {"major"}


async def test_one_that_is_not_whole_is_refused(
    checkout: Checkout, contents: Contents, made: Made, tmp_path: Path
) -> None:
    content, label = made.path.read_bytes(), made.label()
    before = await contents.rows()
    short = tmp_path / "short.backup"
    short.write_bytes(content[:-1000])
    _assert_refused(checkout, short, "cut short")
    # Its checksums are right and its list of contents is whole, but half of the rows are missing.
    cut = tmp_path / "cut.backup"
    with cut.open("wb") as file:
        archive.write(file, [content[: label.size // 2]], label, lambda _: None)
    _assert_refused(checkout, cut, "can't be loaded")
    nonsense = tmp_path / "nonsense.backup"
    with nonsense.open("wb") as file:
        archive.write(file, io.BytesIO(b"no archive\n" * 1000), label, lambda _: None)
    _assert_refused(checkout, nonsense, "damaged or no backup")
    assert await contents.rows() == before
    assert await contents.databases() == OWN


async def test_one_of_a_newer_service_is_refused(checkout: Checkout, contents: Contents, tmp_path: Path) -> None:
    now = await contents.claim_revision("9999")
    try:
        path = _backup(checkout, tmp_path)
    finally:
        await contents.claim_revision(now)
    before = await contents.rows()
    _assert_refused(checkout, path, "newer version")
    assert await contents.rows() == before
    assert await contents.databases() == OWN


async def test_one_that_can_not_be_migrated_is_refused_and_the_service_goes_on(
    checkout: Checkout, contents: Contents, client: docker.DockerClient, tmp_path: Path
) -> None:
    # It says that it is older than it is, so that a table that it has is made once more.
    now = await contents.claim_revision("0001")
    try:
        path = _backup(checkout, tmp_path)
    finally:
        await contents.claim_revision(now)
    before, started = await contents.rows(), _started(client, checkout)
    _assert_refused(checkout, path, "already exists")
    assert await contents.rows() == before
    assert await contents.databases() == OWN
    assert _started(client, checkout) == started
    assert environments.is_up(client, checkout.stack)


def _started(client: docker.DockerClient, checkout: Checkout) -> str:
    started: str = client.containers.get(f"dashtam-{checkout.stack}-app").attrs["State"]["StartedAt"]
    return started


@pytest.mark.campaign
async def test_the_old_database_comes_back_where_the_service_fails_on_the_new_one(
    checkout: Checkout, contents: Contents, client: docker.DockerClient, tmp_path: Path
) -> None:
    before = await contents.rows()
    async with contents.session() as session:
        # Once it is in its place, it is of a revision that nobody knows.
        await session.execute("ALTER TABLE alembic_version RENAME TO kept_version")
        await session.execute(
            "CREATE VIEW alembic_version AS SELECT CASE current_database() WHEN 'dashtam' THEN '9999'"
            " ELSE version_num END AS version_num FROM kept_version"
        )
        try:
            path = _backup(checkout, tmp_path)
        finally:
            await session.execute("DROP VIEW alembic_version")
            await session.execute("ALTER TABLE kept_version RENAME TO alembic_version")
    refused = checkout.dashtam("restore", checkout.stack, str(path), "--yes")
    assert refused.returncode == 1
    assert "didn't become healthy with dev.backup; the database from before is back" in refused.stderr
    assert await contents.rows() == before
    assert await contents.databases() == OWN
    assert environments.is_up(client, checkout.stack)


@pytest.mark.parametrize("moment", ["loading", pytest.param("swapping", marks=pytest.mark.campaign), "starting"])
async def test_one_that_was_killed_leaves_the_old_or_the_new_rows(
    checkout: Checkout, contents: Contents, client: docker.DockerClient, made: Made, moment: str
) -> None:
    await contents.fill()
    old = await contents.rows()
    assert old != made.rows
    app = client.containers.get(f"dashtam-{checkout.stack}-app")
    started = app.attrs["State"]["StartedAt"]
    number = await _number(contents)

    async with contents.session("postgres") as session:

        async def reached() -> bool:
            if moment == "loading":
                return bool(await session.fetchval("SELECT count(*) FROM pg_database WHERE datname = $1", RESTORING))
            app.reload()
            state = app.attrs["State"]
            return bool(state["Status"] == "exited" if moment == "swapping" else state["StartedAt"] != started)

        await killed_when(checkout.start("restore", checkout.stack, str(made.path), "--yes", "--no-snapshot"), reached)
    if moment == "swapping":  # the app was stopped by then, and not started again
        checkout.up()
        assert await contents.databases() == OWN
    wait_until(lambda: environments.is_up(client, checkout.stack), "the app is healthy", 60)
    swapped = await _number(contents) != number
    if moment != "swapping":
        assert swapped is (moment == "starting")
    assert await contents.rows() == (made.rows if swapped else old)
    _restore(checkout, made.path)
    assert await contents.rows() == made.rows
    assert await contents.databases() == OWN


async def _number(contents: Contents) -> int:
    """Return what tells the database from any other, whatever their names."""
    async with contents.session() as session:
        number: int = await session.fetchval("SELECT oid FROM pg_database WHERE datname = current_database()")
        return number


async def test_where_none_can_be_made_beside_it_nothing_is_changed(
    checkout: Checkout, contents: Contents, made: Made
) -> None:
    before = await contents.rows()
    async with contents.session("postgres") as session:
        # One that can't be dropped is in the way.
        await session.execute(f"CREATE DATABASE {RESTORING} IS_TEMPLATE true")
        try:
            _assert_refused(checkout, made.path, "No database can be made beside dashtam")
        finally:
            await session.execute(f"ALTER DATABASE {RESTORING} IS_TEMPLATE false")
            await session.execute(f"DROP DATABASE {RESTORING}")
    assert await contents.rows() == before
    assert await contents.databases() == OWN


async def test_a_database_that_does_not_answer_is_told(checkout: Checkout, contents: Contents, tmp_path: Path) -> None:
    async with contents.session("postgres") as session:
        await session.execute("ALTER DATABASE dashtam ALLOW_CONNECTIONS false")
        try:
            refused = checkout.dashtam("backup", checkout.stack, str(tmp_path / "dev.backup"))
        finally:
            await session.execute("ALTER DATABASE dashtam ALLOW_CONNECTIONS true")
    assert refused.returncode == 1
    assert "doesn't answer; nothing was changed" in refused.stderr
    assert "not currently accepting connections" in refused.stderr
    assert not (tmp_path / "dev.backup").exists()
