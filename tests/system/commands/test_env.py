from __future__ import annotations

import json
import shlex
import ssl
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import httpx2
import pytest
import redis

from tests.system.running import run, succeed

if TYPE_CHECKING:
    from tests.system.checkout import Checkout

CLIENT = """
import asyncio, os, asyncpg
async def ask():
    connection = await asyncpg.connect(os.environ.get("DATABASE_URL"))
    print(await connection.fetchval("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"))
asyncio.run(ask())
"""
"""It reads the URL, and where there is none the variables that libpq knows."""


@pytest.fixture(scope="module")
def public(checkout: Checkout) -> dict[str, str]:
    """The variables for clients of the environment."""
    found: dict[str, str] = json.loads(succeed(checkout.dashtam("env", checkout.stack, "--json")))
    return found


@pytest.fixture(scope="module")
def secret(checkout: Checkout) -> dict[str, str]:
    """The variables with passwords."""
    found: dict[str, str] = json.loads(succeed(checkout.dashtam("env", checkout.stack, "--json", "--show-secrets")))
    return found


def test_clients_of_the_database_log_in_over_verified_tls(checkout: Checkout) -> None:
    """As a user does who has set his shell up for the environment."""
    client = shlex.join([sys.executable, "-c", CLIENT])
    script = f"""
        set -e
        variables="$(./dashtam env {checkout.stack} --show-secrets)"
        eval "$variables"
        {client}
        unset DATABASE_URL
        {client}
    """
    assert succeed(run(["sh", "-c", script], cwd=checkout.root, env=checkout.environ)) == "True\nTrue\n"


def test_without_secrets_nothing_logs_in(checkout: Checkout, public: dict[str, str]) -> None:
    by_names = {name: value for name, value in public.items() if name != "DATABASE_URL"}
    assert by_names != public
    for variables in (public, by_names):
        done = run([sys.executable, "-c", CLIENT], cwd=checkout.root, env={**checkout.environ, **variables})
        assert done.returncode == 1
        assert "password" in done.stderr.splitlines()[-1]


def test_passwords_are_told_on_request_alone(public: dict[str, str], secret: dict[str, str]) -> None:
    assert secret["PGPASSWORD"] not in json.dumps(public)
    assert secret["REDISCLI_AUTH"] not in json.dumps(public)
    assert public.keys() == secret.keys() - {"PGPASSWORD", "REDISCLI_AUTH"}


def test_clients_of_the_cache_log_in_over_verified_tls(secret: dict[str, str]) -> None:
    with redis.Redis.from_url(secret["REDIS_URL"]) as client:
        assert client.ping()


def test_the_service_is_verified_by_the_certificate(checkout: Checkout, public: dict[str, str]) -> None:
    file = Path(public["DASHTAM_CA_FILE"])
    assert file.is_relative_to(checkout.data)
    trusting = ssl.create_default_context(cafile=file)
    assert httpx2.get(f"{public['APP_URL']}/health", verify=trusting).json() == {"status": "ok"}
