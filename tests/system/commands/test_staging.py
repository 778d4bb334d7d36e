"""A snapshot's data brought beside the old on a disk of the engine that is too small."""

from __future__ import annotations

import hashlib
import io
import secrets
import tarfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cli.core.errors import UserError
from cli.data.snapshots import staging, store
from cli.data.snapshots.helper import Helper, Part, helper
from cli.data.snapshots.manifest import Manifest, Piece
from cli.data.snapshots.volume_swap import STAGED
from cli.engine.inventory import EngineView
from cli.environments.clone import Clone
from cli.environments.handle import EnvironmentHandle
from cli.images import source
from infra.catalogue import POSTGRES, REDIS

if TYPE_CHECKING:
    import docker

FILES = 20
FILE_BYTES = 100_000

OnDisk = Callable[[str], list[Helper]]


@pytest.fixture
def on_disk(client: docker.DockerClient, tmp_path: Path) -> Iterator[OnDisk]:
    """Returns containers of two parts that share one disk, in memory, with these options."""
    clone = Clone(secrets.token_hex(5), tmp_path, tmp_path)
    environment = EnvironmentHandle(f"verify-{secrets.token_hex(4)}", clone, EngineView(client))
    naming = environment.naming
    origin = source.decide(client)
    with ExitStack() as held:

        def make(options: str) -> list[Helper]:
            name = naming.data_volume("small")
            driver = {"type": "tmpfs", "device": "tmpfs", "o": f"{options},mode=0777"}
            volume = client.volumes.create(name, driver_opts=driver, labels=naming.labels("small"))
            held.callback(volume.remove)
            made = []
            for base in (POSTGRES, REDIS):
                part = Part(base.name, name, base.reference(origin), base.user)
                made.append(held.enter_context(helper(environment, part, writes=True)))
            return made

        yield make


@pytest.fixture
def snapshot(tmp_path: Path) -> Manifest:
    pieces = {}
    for name in ("postgres.tar", "redis.tar"):
        content = _archive()
        (tmp_path / name).write_bytes(content)
        pieces[name] = Piece(size=len(content), sha256=hashlib.sha256(content).hexdigest())
    return Manifest(
        environment="dev",
        name="one",
        created=datetime.now(UTC),
        postgres="17",
        database="dashtam",
        user="dashtam_user",
        images={},
        pieces=pieces,
    )


def _archive() -> bytes:
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w") as archive:
        for number in range(FILES):
            entry = tarfile.TarInfo(f"volume/{number}")
            entry.size = FILE_BYTES
            archive.addfile(entry, io.BytesIO(bytes(FILE_BYTES)))
    return written.getvalue()


def test_all_parts_need_room_together(on_disk: OnDisk, snapshot: Manifest, tmp_path: Path) -> None:
    # Enough for each of them, and not for both.
    helpers = on_disk(f"size={store.RESERVE + snapshot.size * 3 // 4}")
    with pytest.raises(UserError, match="not enough room for the snapshot") as raised:
        staging.stage(tmp_path, snapshot, helpers)
    assert "and 7" in raised.value.cause
    assert helpers[0].script("ls -A") == ""


def test_a_disk_that_fills_up_meanwhile_is_told(on_disk: OnDisk, snapshot: Manifest, tmp_path: Path) -> None:
    [one, _] = on_disk(f"size=1g,nr_inodes={FILES}")
    with pytest.raises(UserError, match="not enough room for the snapshot") as raised:
        staging.stage(tmp_path, snapshot, [one])
    assert "No space left on device" in raised.value.cause
    assert "docker system df" in raised.value.remedy


def test_where_there_is_room_all_comes(on_disk: OnDisk, snapshot: Manifest, tmp_path: Path) -> None:
    [one, _] = on_disk("size=1g")
    staging.stage(tmp_path, snapshot, [one])
    assert len(one.script(f"ls {STAGED}").split()) == FILES
