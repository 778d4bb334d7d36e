"""Makes backups by command and puts them back."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cli.data.backups import archive
from cli.data.backups.archive import Label
from cli.data.backups.source import Source
from cli.data.database import derived
from tests.system.running import succeed

if TYPE_CHECKING:
    from tests.system.checkout import Checkout
    from tests.system.commands.contents import Contents

RESTORING = derived("dashtam", "restoring")
OWN = {"dashtam", "postgres", "template0", "template1"}


@dataclass(frozen=True)
class Made:
    """A backup.

    Args:
        path: Where it is.
        rows: A checksum over the rows that it was made of.
    """

    path: Path
    rows: str

    def label(self) -> Label:
        """Return what it says of itself."""
        with self.path.open("rb") as file:
            return archive.read(Source(self.path.name, file))


async def of(checkout: Checkout, contents: Contents, folder: Path) -> Made:
    """Fill an environment, and make a backup of it."""
    await contents.fill()
    rows = await contents.rows()
    return Made(make(checkout, folder), rows)


def make(checkout: Checkout, folder: Path) -> Path:
    """Make a backup; return where it is."""
    path = folder / "dev.backup"
    done = json.loads(succeed(checkout.dashtam("backup", checkout.stack, str(path), "--json")))
    assert done["bytes"] < path.stat().st_size
    assert path.stat().st_mode & 0o777 == 0o600
    return path


def restore(checkout: Checkout, path: Path) -> None:
    """Put a backup back; it must succeed."""
    done = json.loads(
        succeed(checkout.dashtam("restore", checkout.stack, str(path), "--yes", "--no-snapshot", "--json"))
    )
    assert done["lost"] == 0


def assert_refused(checkout: Checkout, path: Path, why: str) -> None:
    """Look that a restore is refused and says why."""
    refused = checkout.dashtam("restore", checkout.stack, str(path), "--yes", "--no-snapshot")
    assert refused.returncode == 1
    assert why in refused.stderr
    assert "nothing was changed" in refused.stderr
