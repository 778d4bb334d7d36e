from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from app.run.seed import ACCOUNTS, PEOPLE
from tests.system.running import succeed

if TYPE_CHECKING:
    from tests.system.checkout import Checkout
    from tests.system.commands.contents import Contents

SUBJECTS = [f"{person}-{account}" for person in PEOPLE for account, _ in ACCOUNTS]


async def test_samples_are_added_once(checkout: Checkout, contents: Contents) -> None:
    async with contents.session() as session:
        await session.execute("DELETE FROM provider_connections WHERE subject = ANY($1)", SUBJECTS)
    added = json.loads(succeed(checkout.dashtam("seed", checkout.stack, "--json")))
    assert added["connections"] == len(SUBJECTS) == 12
    before = await contents.rows()
    again = json.loads(succeed(checkout.dashtam("seed", checkout.stack, "--json")))
    assert again["connections"] == 0
    assert await contents.rows() == before
    found = contents.accounts()
    assert found["alice-checking"] == ["active", "sample-access-alice-checking", "sample-refresh-alice-checking"]
    statuses = {account: found[f"bob-{account}"][0] for account in ("checking", "savings", "old")}
    assert statuses == {"checking": "active", "savings": "expired", "old": "revoked"}


async def test_a_file_is_run_whole_or_not_at_all(checkout: Checkout, contents: Contents, tmp_path: Path) -> None:
    before = await contents.rows()
    file = tmp_path / "rows.sql"
    file.write_text("CREATE TABLE seeded (n int);\nINSERT INTO seeded VALUES (1);\nINSERT INTO nowhere VALUES (1);\n")
    refused = checkout.dashtam("seed", checkout.stack, str(file))
    assert refused.returncode == 1
    assert "nowhere" in refused.stderr
    assert await contents.rows() == before
    try:
        file.write_text("CREATE TABLE seeded (n int);\nINSERT INTO seeded VALUES (1);\n")
        succeed(checkout.dashtam("seed", checkout.stack, str(file)))
        async with contents.session() as session:
            assert await session.fetchval("SELECT count(*) FROM seeded") == 1
    finally:
        async with contents.session() as session:
            await session.execute("DROP TABLE IF EXISTS seeded")
