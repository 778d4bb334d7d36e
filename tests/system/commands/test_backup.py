"""Backups of a real environment: whole in one file, and put back whole or not at all."""

from __future__ import annotations

import io
import json
import random
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING
from unittest.mock import Mock

import pytest

from cli import database as databases
from cli.backups import archive, load
from cli.backups.source import Source
from cli.errors import UserError
from tests.system import environments
from tests.system.commands.contents import Contents
from tests.system.commands.passphrases import another, losing
from tests.system.commands.restoring import killed_when
from tests.system.running import PATIENCE, succeed

if TYPE_CHECKING:
    import docker

    from tests.system.checkout import Checkout

SEED = 20260502
FLIPS = 100
BY_COMMAND = 10
"""Every so many of them the command itself is run."""
RESTORING = "dashtam_restoring"
OWN = {"dashtam", "postgres", "template0", "template1"}


@pytest.fixture
def contents(checkout: Checkout, client: docker.DockerClient, tmp_path: Path) -> Contents:
    return Contents(checkout, client, tmp_path, checkout.stack)


def _backup(checkout: Checkout, tmp_path: Path) -> Path:
    path = tmp_path / "dev.backup"
    made = json.loads(succeed(checkout.dashtam("backup", checkout.stack, str(path), "--json")))
    assert made["bytes"] < path.stat().st_size
    assert path.stat().st_mode & 0o777 == 0o600
    return path


def _restore(checkout: Checkout, path: Path) -> dict[str, int]:
    said = succeed(checkout.dashtam("restore", checkout.stack, str(path), "--yes", "--json"))
    done: dict[str, int] = json.loads(said)
    return done


async def test_rows_and_tokens_come_back_after_everything_was_removed(
    checkout: Checkout, contents: Contents, tmp_path: Path
) -> None:
    account = await contents.fill()
    before, accounts = await contents.rows(), contents.accounts()
    path = _backup(checkout, tmp_path)
    succeed(checkout.dashtam("destroy", checkout.stack, "--yes", "--no-snapshot"))
    checkout.up()
    with another(checkout):
        # Its accounts can't be read, which the service gets along with.
        assert _restore(checkout, path)["lost"] == len(accounts)
    assert {tuple(one) for one in contents.accounts().values()} == {("revoked", "", None)}
    with losing(checkout):
        assert _restore(checkout, path)["lost"] == len(accounts)
    assert contents.accounts(account)[account] == ["active", f"access-{account}", f"refresh-{account}"]
    # Back in its own clone, all is as it was.
    done = _restore(checkout, path)
    assert (done["lost"], done["rewrapped"]) == (0, 1)
    assert await contents.rows() == before
    assert contents.accounts() == accounts
    assert await contents.databases() == OWN
    assert environments.is_up(contents.client, checkout.stack)


async def test_it_goes_through_pipes(checkout: Checkout, contents: Contents) -> None:
    await contents.fill()
    before = await contents.rows()
    command = [str(checkout.root / "dashtam")]
    made = _piped([*command, "backup", checkout.stack, "-"], checkout, b"")
    await contents.fill()
    assert await contents.rows() != before
    _piped([*command, "restore", checkout.stack, "-", "--yes"], checkout, made)
    assert await contents.rows() == before


def _piped(command: list[str], checkout: Checkout, stdin: bytes) -> bytes:
    done = subprocess.run(
        command, cwd=checkout.root, env=checkout.environ, input=stdin, capture_output=True, timeout=PATIENCE, check=True
    )
    return done.stdout


async def test_one_with_a_flipped_byte_or_cut_short_is_refused(
    checkout: Checkout, contents: Contents, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = random.Random(SEED)  # noqa: S311 - where, not a secret
    content = _backup(checkout, tmp_path).read_bytes()
    before = await contents.rows()
    harmed = tmp_path / "harmed.backup"
    database = Mock()
    database.major.return_value = 17
    monkeypatch.setattr(databases, "of", Mock(return_value=database))
    for number in range(FLIPS):
        # Half of them in what follows the archive.
        start = len(content) - 800 if number % 2 else 0
        position = chosen.randrange(start, len(content))
        flipped = bytes([content[position] ^ (1 << chosen.randrange(8))])
        harmed.write_bytes(content[:position] + flipped + content[position + 1 :])
        # As the command restores, without the second in which it starts.
        with pytest.raises(UserError, match="damaged or no backup; nothing was changed"):
            load.restore(Mock(), Mock(), str(harmed))
        if number % BY_COMMAND == 0:
            _assert_refused(checkout, harmed, "damaged")
    assert {one[0] for one in database.mock_calls} <= {"major"}
    harmed.write_bytes(content[:-1000])
    _assert_refused(checkout, harmed, "cut short")
    assert await contents.rows() == before


def _assert_refused(checkout: Checkout, path: Path, why: str) -> None:
    refused = checkout.dashtam("restore", checkout.stack, str(path), "--yes")
    assert refused.returncode == 1
    assert why in refused.stderr
    assert "nothing was changed" in refused.stderr


async def test_one_that_fails_half_way_leaves_the_old_rows(
    checkout: Checkout, contents: Contents, tmp_path: Path
) -> None:
    await contents.fill()
    path = _backup(checkout, tmp_path)
    with path.open("rb") as file:
        label = archive.read(Source(path.name, file))
    before = await contents.rows()
    # Its checksums are right and its list of contents is whole, but half of the rows are missing.
    cut = tmp_path / "cut.backup"
    with cut.open("wb") as file:
        archive.write(file, [path.read_bytes()[: label.size // 2]], label, lambda _: None)
    _assert_refused(checkout, cut, "can't be loaded")
    assert await contents.rows() == before
    assert await contents.databases() == OWN
    nonsense = tmp_path / "nonsense.backup"
    with nonsense.open("wb") as file:
        archive.write(file, io.BytesIO(b"no archive\n" * 1000), label, lambda _: None)
    _assert_refused(checkout, nonsense, "damaged or no backup")
    assert await contents.rows() == before


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


@pytest.mark.parametrize("moment", ["loading", "swapping", "starting"])
async def test_one_that_was_killed_leaves_the_old_or_the_new_rows(
    checkout: Checkout, contents: Contents, tmp_path: Path, moment: str
) -> None:
    await contents.fill()
    new = await contents.rows()
    path = _backup(checkout, tmp_path)
    await contents.fill()
    old = await contents.rows()
    app = contents.client.containers.get(f"dashtam-{checkout.stack}-app")
    started = app.attrs["State"]["StartedAt"]

    async with contents.session("postgres") as session:

        async def reached() -> bool:
            if moment == "loading":
                return bool(await session.fetchval("SELECT count(*) FROM pg_database WHERE datname = $1", RESTORING))
            app.reload()
            state = app.attrs["State"]
            return bool(state["Status"] == "exited" if moment == "swapping" else state["StartedAt"] != started)

        await killed_when(checkout.start("restore", checkout.stack, str(path), "--yes"), reached)
    checkout.up()
    assert environments.is_up(contents.client, checkout.stack)
    swapped = RESTORING not in await contents.databases()
    assert await contents.rows() == (new if swapped else old)
    if moment != "swapping":
        assert swapped is (moment == "starting")
    _restore(checkout, path)
    assert await contents.rows() == new
    assert await contents.databases() == OWN


async def test_where_none_can_be_made_beside_it_nothing_is_changed(
    checkout: Checkout, contents: Contents, tmp_path: Path
) -> None:
    path = _backup(checkout, tmp_path)
    before = await contents.rows()
    async with contents.session("postgres") as session:
        # One that can't be dropped is in the way.
        await session.execute(f"CREATE DATABASE {RESTORING} IS_TEMPLATE true")
        try:
            _assert_refused(checkout, path, "No database can be made beside dashtam")
        finally:
            await session.execute(f"ALTER DATABASE {RESTORING} IS_TEMPLATE false")
    assert await contents.rows() == before
    _restore(checkout, path)
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
