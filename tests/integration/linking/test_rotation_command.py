"""The command that rotates keys, as the operator runs it: a process of its own."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from app.linking.keys import DataKeys
from app.linking.rotation import ONE_AT_A_TIME
from app.linking.tokens import Connections
from app.providers.interface import Grant
from app.vault import MasterKeys
from tests.integration.linking.conftest import OWNER

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

    from app.settings import AppSettings

SECRETS = ("database_password", "redis_password", "secret_key", "providers", "token_keys")
NO_ENVIRONMENT = {"environment", "debug", "testing", "startup_timeout", *SECRETS}
ANOTHER_MASTER = {"active": "k1", "keys": {"k1": base64.b64encode(b"x" * 32).decode()}}


@pytest.fixture
def environ(own_settings: AppSettings, tmp_path: Path) -> dict[str, str]:
    """The environment of a process that works on this worker's database."""
    plain = {name.upper(): str(value) for name, value in own_settings if name not in NO_ENVIRONMENT}
    for name in SECRETS:
        (tmp_path / name).write_text(getattr(own_settings, name).get_secret_value())
    files = {f"{name.upper()}_FILE": str(tmp_path / name) for name in SECRETS}
    measured = {name: value for name, value in os.environ.items() if name.startswith("COVERAGE_")}
    return {**measured, **plain, **files}


@pytest.fixture
async def linked(own_settings: AppSettings, sessions: async_sessionmaker[AsyncSession]) -> Connections:
    """A linked account, sealed as the service seals it."""
    master = MasterKeys.parse(own_settings.token_keys.get_secret_value())
    connections = Connections(sessions, DataKeys(master))
    await connections.link(OWNER, "sandbox", Grant("access", "refresh", None, ("openid",), "ada"))
    return connections


async def rotate(environ: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run the command."""
    command = [sys.executable, "-m", "app.linking.rotation"]
    return await asyncio.to_thread(
        subprocess.run, command, env=environ, capture_output=True, text=True, check=False, timeout=60
    )


@pytest.mark.usefixtures("linked")
async def test_says_what_was_done(environ: dict[str, str]) -> None:
    done = await rotate(environ)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert (told["connections"], told["retired"], told["unreadable"]) == (1, 1, 0)
    assert told["key"]


@pytest.mark.usefixtures("linked")
async def test_says_why_it_was_not_done(environ: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "token_keys").write_text(json.dumps(ANOTHER_MASTER))
    done = await rotate(environ)
    assert done.returncode == 1
    assert done.stderr.startswith("The keys were not rotated: ")
    assert "Traceback" not in done.stderr


@pytest.mark.usefixtures("linked")
@pytest.mark.parametrize(
    ("variable", "value", "reason"),
    [("DATABASE_PORT", "1", "connection refused"), ("DATABASE_NAME", "nowhere", "no such database")],
)
async def test_says_what_is_wrong_with_the_database(
    environ: dict[str, str], variable: str, value: str, reason: str
) -> None:
    done = await rotate({**environ, variable: value})
    assert done.returncode == 1
    assert done.stderr.startswith("The keys were not rotated: PostgreSQL at ")
    assert reason in done.stderr
    assert "Traceback" not in done.stderr


async def test_says_that_the_database_is_not_migrated(environ: dict[str, str], empty: AppSettings) -> None:
    done = await rotate({**environ, "DATABASE_NAME": empty.database_name})
    assert done.returncode == 1
    assert done.stderr.startswith("The keys were not rotated: PostgreSQL at ")
    assert "Traceback" not in done.stderr


@pytest.mark.usefixtures("linked")
async def test_says_that_another_is_under_way(
    environ: dict[str, str], sessions: async_sessionmaker[AsyncSession]
) -> None:
    async with sessions.begin() as another:
        assert await another.scalar(ONE_AT_A_TIME)
        done = await rotate(environ)
    assert done.returncode == 1
    assert done.stderr.startswith("The keys were not rotated: another rotation is under way")
    assert (await rotate(environ)).returncode == 0
