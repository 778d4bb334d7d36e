from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.system.commands.contents import Contents
from tests.system.running import succeed

if TYPE_CHECKING:
    import docker

    from tests.system.checkout import Checkout


@pytest.fixture
def contents(checkout: Checkout, client: docker.DockerClient, tmp_path: Path) -> Contents:
    return Contents(checkout, client, tmp_path, checkout.stack)


async def test_samples_are_added_once(checkout: Checkout, contents: Contents) -> None:
    first = json.loads(succeed(checkout.dashtam("seed", checkout.stack, "--json")))
    assert first["connections"] in {0, 12}
    found = contents.accounts()
    before = await contents.rows()
    assert json.loads(succeed(checkout.dashtam("seed", checkout.stack, "--json")))["connections"] == 0
    assert await contents.rows() == before
    assert found["alice-checking"] == ["active", "sample-access-alice-checking", "sample-refresh-alice-checking"]
    assert {found[f"bob-{account}"][0] for account in ("checking", "savings", "old")} == {
        "active",
        "expired",
        "revoked",
    }


async def test_a_file_is_run_whole_or_not_at_all(checkout: Checkout, contents: Contents, tmp_path: Path) -> None:
    before = await contents.rows()
    file = tmp_path / "rows.sql"
    file.write_text("CREATE TABLE seeded (n int);\nINSERT INTO seeded VALUES (1);\nINSERT INTO nowhere VALUES (1);\n")
    refused = checkout.dashtam("seed", checkout.stack, str(file))
    assert refused.returncode == 1
    assert "nowhere" in refused.stderr
    assert await contents.rows() == before
    file.write_text("CREATE TABLE seeded (n int);\nINSERT INTO seeded VALUES (1);\nDROP TABLE seeded;\n")
    succeed(checkout.dashtam("seed", checkout.stack, str(file)))
    file.unlink()
    assert checkout.dashtam("seed", checkout.stack, str(file)).returncode == 2
