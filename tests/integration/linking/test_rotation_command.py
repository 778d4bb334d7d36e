"""The command that rotates keys, as the operator runs it: a process of its own."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING

import pytest

from app.linking.connections import Connections
from app.linking.repository import Repository
from app.providers.grants import Grant
from app.tokens.keys import DataKeys
from app.tokens.rotation import ONE_AT_A_TIME
from app.tokens.vault import MasterKeys
from tests.integration.commands import ROTATION, run
from tests.integration.linking.conftest import OWNER

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

    from app.core.settings import AppSettings

ANOTHER_MASTER = {"active": "k1", "keys": {"k1": base64.b64encode(b"x" * 32).decode()}}


@pytest.fixture
async def linked(own_settings: AppSettings, sessions: async_sessionmaker[AsyncSession]) -> Connections:
    """A linked account, sealed as the service seals it."""
    master = MasterKeys.parse(own_settings.token_keys.get_secret_value())
    connections = Connections(Repository(sessions, DataKeys(master)))
    await connections.repository.link(OWNER, "sandbox", Grant("access", "refresh", None, ("openid",), "ada"))
    return connections


@pytest.mark.usefixtures("linked")
async def test_says_what_was_done(environ: dict[str, str]) -> None:
    done = await run(ROTATION, environ)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert (told["connections"], told["retired"], told["unreadable"]) == (1, 1, 0)
    assert told["key"]


@pytest.mark.usefixtures("linked")
async def test_says_why_it_was_not_done(environ: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "token_keys").write_text(json.dumps(ANOTHER_MASTER))
    done = await run(ROTATION, environ)
    assert done.returncode == 1
    assert done.stderr.startswith("The keys were not rotated: ")
    assert "Traceback" not in done.stderr


@pytest.mark.usefixtures("linked")
async def test_says_that_another_is_under_way(
    environ: dict[str, str], sessions: async_sessionmaker[AsyncSession]
) -> None:
    async with sessions.begin() as another:
        assert await another.scalar(ONE_AT_A_TIME)
        done = await run(ROTATION, environ)
    assert done.returncode == 1
    assert done.stderr.startswith("The keys were not rotated: another rotation is under way")
    assert (await run(ROTATION, environ)).returncode == 0
