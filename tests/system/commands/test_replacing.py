"""What a restore replaces is in a snapshot first."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.system.commands import snapshots
from tests.system.running import succeed

if TYPE_CHECKING:
    from pathlib import Path

    from tests.system.checkout import Checkout
    from tests.system.commands.contents import Contents


def _names(checkout: Checkout) -> list[str]:
    listed = json.loads(succeed(checkout.dashtam("snapshot", "list", checkout.stack, "--json")))["snapshots"]
    return [one["name"] for one in listed]


async def test_what_a_restore_replaces_comes_back(checkout: Checkout, contents: Contents, tmp_path: Path) -> None:
    path = tmp_path / "dev.backup"
    succeed(checkout.dashtam("backup", checkout.stack, str(path)))
    taken = snapshots.take(checkout).name
    await contents.fill()
    replaced = await contents.digest()
    known = _names(checkout)

    declined = checkout.dashtam("restore", checkout.stack, str(path))
    assert declined.returncode == 1
    assert (
        f"Replace {checkout.stack}'s database with {path}? A snapshot of its current data is taken" in declined.stderr
    )
    assert _names(checkout) == known
    assert await contents.digest() == replaced

    done = checkout.dashtam("restore", checkout.stack, str(path), "--yes")
    succeed(done)
    [first] = _names(checkout)[len(known) :]
    assert f"`./dashtam snapshot restore {checkout.stack} {first}`" in done.stderr
    assert await contents.digest() != replaced
    # The snapshot that was replaced is in a snapshot in its turn.
    succeed(checkout.dashtam("snapshot", "restore", checkout.stack, first, "--yes"))
    assert await contents.digest() == replaced
    assert len(_names(checkout)) == len(known) + 2
    assert taken in _names(checkout)
