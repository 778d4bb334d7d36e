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
    assert (told["connections"], told["retired"]) == (1, 1)
    assert told["key"]


@pytest.mark.usefixtures("linked")
async def test_says_why_it_was_not_done(environ: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "token_keys").write_text(json.dumps(ANOTHER_MASTER))
    done = await rotate(environ)
    assert done.returncode == 1
    assert done.stderr.startswith("The keys were not rotated: ")
    assert "Traceback" not in done.stderr
