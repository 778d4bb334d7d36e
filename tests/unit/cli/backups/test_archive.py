from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cli.backups import archive
from cli.backups.archive import Label
from cli.errors import UserError

CONTENT = b"PGDMP" + bytes(range(256)) * 50
LABEL = Label(
    environment="dev", created=datetime(2026, 1, 2, tzinfo=UTC), postgres=17, size=0, sha256="", token_keys=None
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = tmp_path / "dev.backup"
    with made.open("wb") as file:
        archive.write(file, [CONTENT[:100], CONTENT[100:]], LABEL, lambda _: None)
    return made


def _read(path: Path) -> bytes:
    return b"".join(archive.checked(path, archive.read(path), lambda _: None))


def test_what_was_written_is_read(path: Path) -> None:
    label = archive.read(path)
    assert (label.size, label.sha256) == (len(CONTENT), hashlib.sha256(CONTENT).hexdigest())
    assert _read(path) == CONTENT


def test_the_archive_comes_first_as_pg_restore_reads_it(path: Path) -> None:
    assert path.read_bytes().startswith(CONTENT)


def test_every_flipped_byte_is_found(path: Path) -> None:
    content = path.read_bytes()
    positions = [*range(0, len(CONTENT), 997), *range(len(CONTENT), len(content))]
    for position in positions:
        path.write_bytes(content[:position] + bytes([content[position] ^ 1]) + content[position + 1 :])
        with pytest.raises(UserError, match="damaged"):
            _read(path)


@pytest.mark.parametrize("cut", [0, 1, 20, 44, 45, 300, -1])
def test_one_that_is_cut_short_is_found(path: Path, cut: int) -> None:
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(UserError, match="damaged"):
        _read(path)


def test_one_that_goes_on_is_found(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"\n")
    with pytest.raises(UserError, match="damaged"):
        _read(path)


def test_one_that_is_not_there_is_wrong_usage(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="can't be read") as raised:
        archive.read(tmp_path / "missing")
    assert raised.value.exit_status == 2
