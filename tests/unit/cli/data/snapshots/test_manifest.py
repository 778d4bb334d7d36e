from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cli.core.errors import UserError
from cli.data.snapshots import manifest
from cli.data.snapshots.manifest import Manifest, Piece

CONTENT = {"postgres.tar": b"p" * 3_000_000, "redis.tar": b"r" * 10, "token-keys.json": b"{}"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "dev" / "one"
    made.mkdir(parents=True)
    for name, content in CONTENT.items():
        (made / name).write_bytes(content)
    _write(made, _manifest())
    return made


def _manifest() -> Manifest:
    pieces = {name: Piece(size=len(one), sha256=hashlib.sha256(one).hexdigest()) for name, one in CONTENT.items()}
    return Manifest(
        environment="dev",
        name="one",
        created=datetime(2026, 1, 2, tzinfo=UTC),
        postgres="17",
        database="dashtam",
        user="dashtam_user",
        images={"postgres": "postgres:17"},
        pieces=pieces,
    )


def _write(folder: Path, made: Manifest) -> None:
    for name, content in manifest.files(made):
        (folder / name).write_bytes(content)


def _verify(folder: Path, count: Callable[[int], object] = lambda _: None) -> None:
    manifest.verify(folder, manifest.read(folder), count)


def test_what_was_written_is_verified(folder: Path) -> None:
    counted: list[int] = []
    assert manifest.read(folder) == _manifest()
    _verify(folder, counted.append)
    assert sum(counted) == manifest.read(folder).size == 3_000_012


@pytest.mark.parametrize("name", [*CONTENT, manifest.FILE, manifest.CHECKSUM])
@pytest.mark.parametrize("where", [0, -1])
def test_a_flipped_bit_is_found(folder: Path, name: str, where: int) -> None:
    content = bytearray((folder / name).read_bytes())
    content[where] ^= 1
    (folder / name).write_bytes(content)
    with pytest.raises(UserError, match="damaged; nothing was changed"):
        _verify(folder)


@pytest.mark.parametrize("name", [*CONTENT, manifest.FILE, manifest.CHECKSUM])
@pytest.mark.parametrize("harm", [Path.unlink, lambda path: path.write_bytes(path.read_bytes() + b"\n")])
def test_a_file_that_is_missing_or_longer_is_found(folder: Path, name: str, harm: Callable[[Path], object]) -> None:
    harm(folder / name)
    with pytest.raises(UserError, match="damaged"):
        _verify(folder)


def test_a_file_too_many_is_found(folder: Path) -> None:
    (folder / "more").touch()
    with pytest.raises(UserError, match="damaged") as raised:
        _verify(folder)
    assert "more" in raised.value.cause


def test_one_of_another_version_is_told(folder: Path) -> None:
    content = _manifest().model_dump_json().replace('"format":1', '"format":2').encode()
    (folder / manifest.FILE).write_bytes(content)
    (folder / manifest.CHECKSUM).write_text(f"{hashlib.sha256(content).hexdigest()}\n")
    with pytest.raises(UserError, match="another version"):
        manifest.read(folder)
