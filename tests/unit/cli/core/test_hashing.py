from __future__ import annotations

import hashlib
import io
from typing import TYPE_CHECKING

import pytest

from cli.core import hashing
from cli.core.hashing import Hashed, chunks, file_sha256

if TYPE_CHECKING:
    from pathlib import Path

CONTENT = bytes(range(256)) * 10
DIGEST = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hashing, "CHUNK", 1000)


def test_what_passes_is_hashed_and_counted() -> None:
    counted: list[int] = []
    hashed = Hashed(chunks(io.BytesIO(CONTENT)), counted.append)
    assert b"".join(hashed) == CONTENT
    assert (hashed.size, hashed.sha256) == (len(CONTENT), DIGEST)
    assert counted == [1000, 1000, 560]


@pytest.mark.parametrize("size", [0, 1, 1000, 1500, 2560, 9999])
def test_a_part_of_a_file_is_read(size: int) -> None:
    file = io.BytesIO(CONTENT)
    assert b"".join(chunks(file, size)) == CONTENT[:size]
    assert file.tell() == min(size, len(CONTENT))


def test_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(CONTENT)
    assert file_sha256(tmp_path / "file") == DIGEST
