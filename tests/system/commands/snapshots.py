"""Takes snapshots and puts them back by command, and looks for what a restore may leave."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from cli.data.snapshots import manifest
from tests.system import environments
from tests.system.running import succeed

if TYPE_CHECKING:
    import docker

    from cli.data.snapshots.manifest import Manifest
    from tests.system.checkout import Checkout


def take(checkout: Checkout) -> Path:
    """Take a snapshot."""
    taken = json.loads(succeed(checkout.dashtam("snapshot", "create", checkout.stack, "--json")))
    return Path(taken["path"])


def restore(checkout: Checkout, name: str) -> dict[str, object]:
    """Put a snapshot back; it must succeed."""
    said = succeed(checkout.dashtam("snapshot", "restore", checkout.stack, name, "--yes", "--no-snapshot", "--json"))
    done: dict[str, object] = json.loads(said)
    return done


def copied(path: Path, name: str) -> Path:
    """Copy a snapshot, to be damaged."""
    made = path.with_name(name)
    shutil.copytree(path, made)
    return made


def rewrite(path: Path, made: Manifest) -> None:
    """Write a snapshot's manifest with its checksum."""
    for name, content in manifest.files(made):
        (path / name).write_bytes(content)


def traces(checkout: Checkout, client: docker.DockerClient) -> list[str]:
    """Return what a restore left: helpers, its journal, and files in the volumes beside the data."""
    found = client.api.containers(all=True, filters=environments.labelled(checkout.stack))
    names = [one["Names"][0] for one in found if "snapshot" in one["Names"][0]]
    journal = checkout.home / f"restoring/{checkout.stack}.json"
    folders = {"postgres": "/var/lib/postgresql/data", "redis": "/data"}
    for service, folder in folders.items():
        listed = client.containers.get(f"dashtam-{checkout.stack}-{service}").exec_run(["ls", "-A", folder])
        assert listed.exit_code == 0, listed.output
        assert isinstance(listed.output, bytes)
        names += [one for one in listed.output.decode().split() if one.startswith(".dashtam")]
    return [*names, *([str(journal)] if journal.exists() else [])]
