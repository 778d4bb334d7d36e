"""Makes what the tests of upgrades begin with, of the commit that is checked out: `python -m tests.data.make`.

It brings an environment up in a copy of the checkout, fills it, takes a snapshot and a backup of it, keeps all of that
with Pulumi's state in one archive, and removes the environment.
"""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
import subprocess
import tarfile
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import docker

from tests.system import checkout as checkouts
from tests.system import environments
from tests.system.commands import snapshots
from tests.system.commands.contents import Contents
from tests.system.running import succeed

if TYPE_CHECKING:
    from docker.models.containers import Container

    from tests.system.checkout import Checkout

HERE = Path(__file__).parent
ANYWHERE = "/srv/dashtam"
"""What stands for the checkout's folder in the state."""

ACCOUNTS = ("upgraded-1", "upgraded-2")
CACHED = {"upgraded:1": "one", "upgraded:2": "two"}
KEYS = {"session": "secret-key", "tokens": "token-keys.json"}
"""Files of the service whose content must outlast an upgrade."""


def main() -> None:
    """Make the archive."""
    commit = subprocess.check_output(["git", "rev-parse", "--short=7", "HEAD"], cwd=checkouts.ROOT, text=True).strip()
    client = docker.from_env()
    with tempfile.TemporaryDirectory() as folder:
        made = checkouts.make(Path(folder))
        made.config_file.unlink()
        checkout = replace(made, stack=f"verify-{commit}")
        checkout.configure()
        try:
            checkout.up()
            files = asyncio.run(collect(checkout, client, Path(folder)))
            write(HERE / f"{commit}.tar.xz", files)
        finally:
            checkout.dashtam("destroy", checkout.stack, "--yes", "--no-snapshot")
            environments.remove_all(client, checkout.stack)


async def collect(checkout: Checkout, client: docker.DockerClient, folder: Path) -> dict[str, bytes]:
    """Fill the environment, and return the archive's files by name."""
    contents = Contents(checkout, client, folder, checkout.stack)
    facts = await fill(contents)
    snapshot = snapshots.take(checkout)
    backup = folder / "backup"
    succeed(checkout.dashtam("backup", checkout.stack, str(backup)))
    state = checkout.state().read_text().replace(str(checkout.root), ANYWHERE)
    return {
        "facts.json": json.dumps(facts, indent=2).encode(),
        "state.json": state.encode(),
        "meta.yaml": (checkout.backend / ".pulumi/meta.yaml").read_bytes(),
        "config.yaml": checkout.config_file.read_bytes(),
        "placements.json": (checkout.home / "placements.json").read_bytes(),
        "passphrase": (checkout.home / "passphrase").read_bytes(),
        "backup": backup.read_bytes(),
        **{f"snapshot/{one.name}": one.read_bytes() for one in snapshot.iterdir()},
    }


async def fill(contents: Contents) -> dict[str, Any]:
    """Put rows, accounts and keys into the environment, and return what an upgrade must leave of them."""
    succeed(contents.checkout.dashtam("seed", contents.stack))
    await contents.fill(200)
    async with contents.cache() as cache:
        await cache.mset(CACHED)
    accounts = contents.accounts(*ACCOUNTS)
    async with contents.session() as session:
        # As in the samples: no provider knows these tokens, and none is to be asked for others.
        await session.execute("UPDATE provider_connections SET expires_at = NULL")
    app = contents.client.containers.get(f"dashtam-{contents.stack}-app")
    return {
        "stack": contents.stack,
        "owner": contents.checkout.tools["DASHTAM_CLONE"],
        "accounts": accounts,
        "rows": await contents.rows("kept"),
        "cached": CACHED,
        "keys": {name: digest(app, file) for name, file in KEYS.items()},
    }


def digest(app: Container, name: str) -> str:
    """Return the SHA-256 of one of the files that are installed for the service."""
    status, content = app.exec_run(["cat", f"/run/secrets/{name}"])
    assert status == 0, content
    assert isinstance(content, bytes)
    return hashlib.sha256(content).hexdigest()


def write(path: Path, files: dict[str, bytes]) -> None:
    """Write an archive, of files that say nothing of this machine."""
    with tarfile.open(path, "w:xz", preset=9) as archive:
        for name, content in sorted(files.items()):
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))


if __name__ == "__main__":
    main()
