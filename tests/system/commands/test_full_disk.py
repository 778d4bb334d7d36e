"""Disks that are full, for real: what happens on them is told, and nothing is changed."""

from __future__ import annotations

import os
import subprocess
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from redis import Redis
from redis.backoff import ConstantBackoff
from redis.exceptions import ResponseError
from redis.retry import Retry

from app.failures import explain
from app.outages import is_outage
from tests.system import environments
from tests.system.running import PATIENCE, succeed, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    import docker

    from tests.system.checkout import Checkout

MOUNT = 'mount -t tmpfs -o "$1" none "$2"; shift 2; exec "$@"'
"""In a name space of its own, which needs no root where there are user name spaces."""

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
        timeout=PATIENCE,
    )
    said = done.stderr.decode()
    assert "Traceback" not in said
    assert "What to do:" in said
    return done.returncode, said


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ("size=1m", "There is not enough room for a snapshot; nothing was changed."),
        # Room for bytes, but for few files: it becomes full while the services stand still.
        ("size=4g,nr_inodes=4", "There is no room left for a snapshot; nothing was changed."),
    ],
)
def test_a_snapshot_needs_room(checkout: Checkout, client: docker.DockerClient, options: str, why: str) -> None:
    folder = checkout.home / "snapshots" / checkout.stack
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    status, said = _with_small_disk(checkout, folder, options, "snapshot", "create", checkout.stack, "too-big")
    assert status == 1
    assert why in said
    wait_until(lambda: environments.is_up(client, checkout.stack), "the services go on")
    succeed(checkout.dashtam("snapshot", "create", checkout.stack, "fits"))
    succeed(checkout.dashtam("snapshot", "delete", checkout.stack, "fits"))


def test_a_backup_from_standard_input_needs_room(checkout: Checkout) -> None:
    backup = b"x" * (1 << 20)
    folder = checkout.home / "restoring"
    folder.mkdir(mode=0o700, exist_ok=True)
    status, said = _with_small_disk(checkout, folder, "size=64k", "restore", checkout.stack, "-", "--yes", stdin=backup)
    assert status == 1
    assert "There is no room left for the backup from standard input; nothing was changed." in said


def test_an_engine_without_room_is_told_before_anything_is_changed(
    checkout: Checkout, client: docker.DockerClient
) -> None:
    before = {one.id for one in client.containers.list(filters=environments.labelled(checkout.stack))}
    root = Path(client.info()["DockerRootDir"])
    status, said = _with_small_disk(checkout, root, "size=64m", "up", checkout.stack)
    assert status == 1
    assert f"The disk of {root}, where the Docker engine keeps its data, is full." in said
    assert {one.id for one in client.containers.list(filters=environments.labelled(checkout.stack))} == before


def test_no_room_for_the_state_is_told_before_anything_is_changed(
    checkout: Checkout, client: docker.DockerClient
) -> None:
    before = {one.id for one in client.containers.list(filters=environments.labelled(checkout.stack))}
    status, said = _with_small_disk(checkout, checkout.data, "size=16m", "up", checkout.stack)
    assert status == 1
    assert f"The disk of {checkout.data}, where state and passphrases are kept, is full." in said
    assert {one.id for one in client.containers.list(filters=environments.labelled(checkout.stack))} == before


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
            timeout=PATIENCE,
        )
    assert done.returncode == 1
    assert "The backup can't be written.\nNo space left on device\nWhat to do:" in done.stderr
    assert "Traceback" not in done.stderr


@contextmanager
def _filled(spare: Checkout, service: str, folder: str) -> Iterator[None]:
    filler = f"{folder}/filler"
    done = spare.dashtam("exec", spare.stack, service, "--", "sh", "-c", f"cat /dev/zero > {filler}")
    assert "No space left on device" in done.stderr
    try:
        yield
    finally:
        succeed(spare.dashtam("exec", spare.stack, service, "--", "rm", filler))


def test_a_database_without_room_is_told_and_goes_on_once_there_is_some(spare: Checkout) -> None:
    succeed(spare.dashtam("destroy", spare.stack, "--yes", "--no-snapshot"))
    # A disk of its own, so small that it can be filled.
    spare.configure(postgres={"storage": "tmpfs", "tmpfs_size": "128m"})
    spare.up()
    with _filled(spare, "postgres", "/var/lib/postgresql/data"):
        done = spare.dashtam("seed", spare.stack)
        assert done.returncode == 1
        assert f"{spare.stack} got no samples; nothing was changed." in done.stderr
        assert "PostgreSQL at postgres:5432: no space is left on its disk" in done.stderr
        assert "What to do: Free some disk space" in done.stderr
        assert "Traceback" not in done.stderr
    succeed(spare.dashtam("seed", spare.stack))
    spare.configure()
    spare.up()


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
