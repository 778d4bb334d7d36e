from __future__ import annotations

import errno
import hashlib
import io
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cli.core.errors import UserError
from cli.data.backups import archive
from cli.data.backups.archive import Label
from cli.data.backups.source import Source

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


def _label(path: Path) -> Label:
    with path.open("rb") as file:
        return archive.read(Source(path.name, file))


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        source = Source(path.name, file)
        return b"".join(archive.read_archive(source, archive.read(source), lambda _: None))


def test_what_was_written_is_read(path: Path) -> None:
    label = _label(path)
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


class Unreadable(io.RawIOBase):
    """A file on a disk that fails."""

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        return 1000 + offset if whence == os.SEEK_END else offset

    def readinto(self, _buffer: object) -> int:
        raise OSError(errno.EIO, os.strerror(errno.EIO))


def test_one_that_can_not_be_read_is_told() -> None:
    with io.BufferedReader(Unreadable()) as file:
        source = Source("dev.backup", file)
        with pytest.raises(UserError, match="damaged") as raised:
            archive.read(source)
        assert os.strerror(errno.EIO) in raised.value.cause
        with pytest.raises(UserError, match="damaged") as raised:
            list(archive.read_archive(source, LABEL.model_copy(update={"size": 1}), lambda _: None))
        assert os.strerror(errno.EIO) in raised.value.cause


def test_one_of_another_version_is_told(path: Path) -> None:
    content = _label(path).model_dump_json().replace('"format":1', '"format":2').encode()
    path.write_bytes(CONTENT + content + hashlib.sha256(content).digest() + len(content).to_bytes(4) + archive.MAGIC)
    with pytest.raises(UserError, match="another version"):
        _label(path)
