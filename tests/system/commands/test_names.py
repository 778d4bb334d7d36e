"""Names of the database and of its owner that are as long as PostgreSQL's can be: no command takes one for another."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cli.data.database import LONGEST
from tests.system import checkout as checkouts
from tests.system import environments
from tests.system.commands import snapshots
from tests.system.commands.contents import Contents
from tests.system.running import succeed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import docker

    from tests.system.checkout import Checkout

NAMES: dict[str, object] = {"database": "d" * LONGEST, "user": "u" * LONGEST}


@pytest.fixture(scope="module")
def longest(client: docker.DockerClient, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    """A copy whose environment has the longest names."""
    with checkouts.brought_up(client, tmp_path_factory.mktemp("longest"), postgres=NAMES) as made:
        yield made


async def test_data_comes_back(longest: Checkout, client: docker.DockerClient, tmp_path: Path) -> None:
    contents, path = Contents(longest, client, tmp_path, longest.stack), tmp_path / "dev.backup"
    succeed(longest.dashtam("seed", longest.stack))
    await contents.fill()
    rows, digest = await contents.rows(), await contents.digest()
    succeed(longest.dashtam("backup", longest.stack, str(path)))
    taken = snapshots.take(longest)

    await contents.fill()
    succeed(longest.dashtam("restore", longest.stack, str(path), "--yes"))
    assert await contents.rows() == rows
    assert await contents.databases() == {"d" * LONGEST, "postgres", "template0", "template1"}

    await contents.fill()
    snapshots.restore(longest, taken.name)
    assert await contents.digest() == digest
    assert environments.is_up(client, longest.stack)
