"""Disks that are full, for real: what happens on them is told, and nothing is changed."""

from __future__ import annotations

import os
import subprocess
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from redis import Redis
from redis.backoff import ConstantBackoff
from redis.exceptions import ResponseError
from redis.retry import Retry

from app.core.dependency_errors import explain, is_outage
from tests.system import environments
from tests.system.running import TIMEOUT, succeed, wait_until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import docker
    from docker.models.containers import Container

    from tests.system.checkout import Checkout
    from tests.system.commands.contents import Contents

MOUNT = 'mount -t tmpfs -o "$1" none "$2"; shift 2; exec "$@"'
"""In a name space of its own, which needs no root where there are user name spaces."""

SMALL_DISK = "/tmp"  # noqa: S108 - the container's own, in memory

UNSHARED = ["unshare", "--mount", *(["--map-root-user"] if os.geteuid() else [])]


def _with_small_disk(
    checkout: Checkout, path: Path, options: str, *arguments: str, stdin: bytes = b""
) -> tuple[int, str]:
    """Run `./dashtam` with a small disk in the place of a folder, for it alone."""
    command = [*UNSHARED, "sh", "-euc", MOUNT, "mount", options, str(path), str(checkout.root / "dashtam"), *arguments]
    done = subprocess.run(
        command,
        cwd=checkout.root,
        env=checkout.environ,
        input=stdin,
        capture_output=True,
        check=False,
        timeout=TIMEOUT,
    )
    said = done.stderr.decode()
    assert "Traceback" not in said
    assert "What to do:" in said
    return done.returncode, said


def test_a_snapshot_needs_room(checkout: Checkout, client: docker.DockerClient) -> None:
    folder = checkout.home / "snapshots" / checkout.stack
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    refusals = {
        "size=1m": "There is not enough room for a snapshot; nothing was changed.",
        # Room for bytes, but for few files: it becomes full while the services are paused.
        "size=4g,nr_inodes=4": "There is no room left for a snapshot; nothing was changed.",
    }
    for options, why in refusals.items():
        status, said = _with_small_disk(checkout, folder, options, "snapshot", "create", checkout.stack, "too-big")
        assert status == 1
        assert why in said
        wait_until(lambda: environments.is_up(client, checkout.stack), "the services run")
    assert "too-big" not in {one.name for one in folder.iterdir()}


def test_a_backup_from_standard_input_needs_room(checkout: Checkout) -> None:
    backup = b"x" * (1 << 20)
    folder = checkout.home / "restoring"
    folder.mkdir(mode=0o700, exist_ok=True)
    status, said = _with_small_disk(checkout, folder, "size=64k", "restore", checkout.stack, "-", "--yes", stdin=backup)
    assert status == 1
    assert "There is no room left for the backup from standard input; nothing was changed." in said


def test_a_backup_that_can_not_be_written_is_told(checkout: Checkout) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [str(checkout.root / "dashtam"), "backup", checkout.stack, "-"],
            cwd=checkout.root,
            env=checkout.environ,
            stdin=subprocess.DEVNULL,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            timeout=TIMEOUT,
        )
    assert done.returncode == 1
    assert "The backup can't be written.\nNo space left on device\nWhat to do:" in done.stderr
    assert "Traceback" not in done.stderr


@asynccontextmanager
async def _on_a_small_disk(contents: Contents, postgres: Container, table: str) -> AsyncIterator[str]:
    """Move a table, emptied, to a disk in memory; yields a folder there."""
    tablespace = f"{SMALL_DISK}/tablespace"
    _run(postgres, "mkdir", "-m", "0700", tablespace)
    async with contents.session() as session:
        await session.execute(f"CREATE TABLESPACE small LOCATION '{tablespace}'")
        try:
            await session.execute(f"ALTER TABLE {table} SET TABLESPACE small")
            await session.execute(f"TRUNCATE {table}")
            yield SMALL_DISK
        finally:
            await session.execute(f"ALTER TABLE {table} SET TABLESPACE pg_default")
            await session.execute("DROP TABLESPACE small")
            _run(postgres, "rmdir", tablespace)


def _run(container: Container, *command: str) -> None:
    done = container.exec_run(list(command))
    assert done.exit_code == 0, done.output


async def test_a_database_without_room_is_told_and_works_once_there_is_some(
    checkout: Checkout, contents: Contents, client: docker.DockerClient
) -> None:
    postgres = client.containers.get(f"dashtam-{checkout.stack}-postgres")
    async with _on_a_small_disk(contents, postgres, "provider_connections") as folder:
        filled = postgres.exec_run(["sh", "-c", f"cat /dev/zero > {folder}/filler"])
        assert b"No space left on device" in filled.output
        try:
            done = checkout.dashtam("seed", checkout.stack)
        finally:
            _run(postgres, "rm", f"{folder}/filler")
        assert done.returncode == 1
        assert f"{checkout.stack} got no samples; nothing was changed." in done.stderr
        assert "PostgreSQL at postgres:5432: no space is left on its disk" in done.stderr
        assert "What to do: Free some disk space" in done.stderr
        assert "Traceback" not in done.stderr
        succeed(checkout.dashtam("seed", checkout.stack))


def test_a_cache_without_room_is_an_outage_that_is_told(checkout: Checkout, client: docker.DockerClient) -> None:
    image = client.containers.get(f"dashtam-{checkout.stack}-redis").attrs["Image"]
    user, group = environments.USERS["redis"]
    # A disk of its own, so small that it can be filled.
    command = "redis-server --dir /data --save '' --appendonly yes --appendfsync everysec --protected-mode no"
    cache = client.containers.run(
        image,
        command=command,
        detach=True,
        ports={"6379/tcp": ("127.0.0.1", 0)},
        tmpfs={"/data": f"size=1m,uid={user},gid={group},mode=0700"},
    )
    try:
        published = client.api.port(cache.attrs["Id"], 6379)
        with Redis(port=int(published[0]["HostPort"]), retry=Retry(ConstantBackoff(0.1), 100)) as redis:
            assert redis.ping()
            # Only once it has tried to write a change does it refuse others.
            redis.set("big", b"x" * 2_000_000)
            with pytest.raises(ResponseError) as raised:
                redis.set("small", b"x")
    finally:
        cache.remove(force=True, v=True)
    assert is_outage(raised.value)
    assert explain(raised.value).reason.startswith("it can't write to its disk")
