"""Backups of a real environment: written where one asks, and refused where they are damaged."""

from __future__ import annotations

import os
import random
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING
from unittest.mock import Mock

import pytest

from cli.core.errors import UserError
from cli.data import database as databases
from cli.data.backups import archive
from cli.operations import restore_backup
from tests.system.commands import backups
from tests.system.commands.backups import OWN, Made
from tests.system.running import TIMEOUT, succeed

if TYPE_CHECKING:
    from tests.system.checkout import Checkout
    from tests.system.commands.contents import Contents

SEED = 20260502


@pytest.fixture(scope="module")
async def made(checkout: Checkout, contents: Contents, tmp_path_factory: pytest.TempPathFactory) -> Made:
    return await backups.of(checkout, contents, tmp_path_factory.mktemp("backup"))


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
        with pytest.raises(UserError, match="damaged, or not a backup; nothing was changed"):
            restore_backup.restore(Mock(), str(harmed))
    assert {one[0] for one in database.mock_calls} <= {"major"}


def test_a_pipe_a_link_and_a_file_that_is_there_are_not_replaced_unasked(checkout: Checkout, tmp_path: Path) -> None:
    pipe, link, other = tmp_path / "pipe", tmp_path / "link", tmp_path / "other"
    os.mkfifo(pipe)
    with ThreadPoolExecutor(1) as pool:
        read = pool.submit(pipe.read_bytes)
        succeed(checkout.dashtam("backup", checkout.stack, str(pipe)))
        content = read.result(TIMEOUT)
    assert pipe.is_fifo()
    assert content.endswith(archive.MAGIC)
    assert content.startswith(archive.ARCHIVE)

    other.write_bytes(b"mine")
    link.symlink_to("other")
    refused = checkout.dashtam("backup", checkout.stack, str(link))
    assert refused.returncode == 1
    assert f"{link} exists. Replace it?" in refused.stderr
    assert "What to do: Add --yes." in refused.stderr
    assert other.read_bytes() == b"mine"
    succeed(checkout.dashtam("backup", checkout.stack, str(link), "--yes"))
    assert link.is_symlink()
    assert other.read_bytes().endswith(archive.MAGIC)
    assert {one.name for one in tmp_path.iterdir()} == {"pipe", "link", "other"}


async def test_one_that_is_not_whole_is_refused(
    checkout: Checkout, contents: Contents, made: Made, tmp_path: Path
) -> None:
    content, label = made.path.read_bytes(), made.label()
    before = await contents.rows()
    short = tmp_path / "short.backup"
    # Nothing of its checksum is left, so that it could be an ordinary dump.
    short.write_bytes(content[: label.size * 3 // 4])
    backups.assert_refused(checkout, short, "The file is cut short")
    # Its checksums are right and its list of contents is whole, but half of the rows are missing.
    cut = tmp_path / "cut.backup"
    with cut.open("wb") as file:
        archive.write(file, [content[: label.size // 2]], label, lambda _: None)
    backups.assert_refused(checkout, cut, "can't be loaded")
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
