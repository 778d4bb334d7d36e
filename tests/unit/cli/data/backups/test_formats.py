from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import tarfile
import threading
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from unittest.mock import Mock

import pytest

from cli.core.errors import UserError
from cli.data.backups import archive, formats, source
from cli.data.backups.archive import Label
from cli.engine.inventory import EngineView
from cli.environments.clone import Clone
from cli.environments.handle import EnvironmentHandle

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from cli.data.backups.formats import Dump

ARCHIVE = b"PGDMP" + bytes(range(256)) * 500
SQL = b"CREATE TABLE a (n int);\n"


def _backup() -> bytes:
    file = io.BytesIO()
    moment = datetime(2026, 1, 2, tzinfo=UTC)
    label = Label(environment="dev", created=moment, postgres=17, size=0, sha256="", token_keys=None)
    archive.write(file, [ARCHIVE], label, lambda _: None)
    return file.getvalue()


def _tar() -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as made:
        made.addfile(tarfile.TarInfo("toc.dat"))
    return file.getvalue()


@contextmanager
def _recognised(tmp_path: Path, content: bytes) -> Iterator[Dump]:
    clone, path = Clone(root=tmp_path, id="me", home=tmp_path / "home"), tmp_path / "dump"
    if not path.exists():
        path.write_bytes(content)
    environment = EnvironmentHandle("dev", clone, EngineView(Mock()))
    with source.opened(clone, str(path)) as found, formats.recognised(environment, found) as dump:
        yield dump
    folder = clone.home / "restoring"
    assert not folder.exists() or list(folder.iterdir()) == []


@pytest.mark.parametrize("compress", [bytes, gzip.compress, bz2.compress, lzma.compress])
@pytest.mark.parametrize(
    ("content", "loaded", "is_sql", "made_of"),
    [(_backup(), ARCHIVE, False, "dev"), (ARCHIVE, ARCHIVE, False, None), (SQL, SQL, True, None)],
)
def test_it_is_known_by_its_content(
    tmp_path: Path, compress: Callable[[bytes], bytes], content: bytes, loaded: bytes, is_sql: bool, made_of: str | None
) -> None:
    with _recognised(tmp_path, compress(content)) as dump:
        assert (dump.is_sql, dump.label and dump.label.environment) == (is_sql, made_of)
        for _ in range(2):
            assert b"".join(dump.pieces()) == loaded
        assert dump.size == len(loaded)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (_backup()[:-1], "damaged"),
        (_backup()[:-20], "damaged"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "neither an archive"),
        (b"", "no SQL statement"),
        (SQL.decode().encode("utf-16"), "neither an archive"),
        (gzip.compress(SQL * 1000)[:-20], "can't be decompressed"),
        (gzip.compress(os.urandom(5000))[:2000], "can't be decompressed"),
        (lzma.compress(SQL)[:-20], "can't be decompressed"),
        (b"\x28\xb5\x2f\xfd\0", "compressed with zstd"),
        (b"PK\x03\x04\0", "ZIP archive"),
        (_tar(), "tar archive"),
        (SQL + b"\\! ls\n", "Line 2 has a command of psql"),
    ],
)
def test_it_is_refused_with_a_remedy(tmp_path: Path, content: bytes, why: str) -> None:
    with pytest.raises(UserError, match="nothing was changed") as raised, _recognised(tmp_path, content):
        pytest.fail("it can't be loaded")
    assert why in raised.value.message + raised.value.cause
    assert raised.value.remedy


@pytest.mark.parametrize("content", [b"\x28\xb5\x2f\xfd\0", b"PK\x03\x04\0", _tar()])
def test_what_another_program_reads_has_a_remedy_that_names_the_environment(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(UserError) as raised, _recognised(tmp_path, content):
        pytest.fail("it can't be loaded")
    assert raised.value.remedy.endswith(" FILE | ./dashtam restore dev - --yes`")


def test_a_pipe_is_read_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "dump")
    writer = threading.Thread(target=lambda: (tmp_path / "dump").write_bytes(_backup()))
    writer.start()
    with _recognised(tmp_path, b"") as dump:
        for _ in range(2):
            assert b"".join(dump.pieces()) == ARCHIVE
    writer.join(10)


def test_what_says_how_it_was_is_checked(tmp_path: Path) -> None:
    content = bytearray(_backup())
    content[1000] ^= 1
    with (
        pytest.raises(UserError, match="damaged, or not a backup; nothing was changed"),
        _recognised(tmp_path, bytes(content)) as dump,
    ):
        list(dump.pieces())
