from __future__ import annotations

import json
import shlex
import shutil
import ssl
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest
import redis

from tests.system import checkout as checkouts
from tests.system.running import run, succeed

if TYPE_CHECKING:
    import subprocess

    from tests.system.checkout import Checkout


def _in_shell(checkout: Checkout, command: str, *options: str) -> subprocess.CompletedProcess[str]:
    """Run a command as a user does who has set his shell up for the environment."""
    asked = shlex.join(["./dashtam", "env", checkout.stack, *options])
    script = f'set -e; variables="$({asked})"; eval "$variables"; {command}'
    return run(["sh", "-c", script], cwd=checkout.root, env=checkout.environ)


CLIENT = """
import asyncio, os, asyncpg
async def ask():
    connection = await asyncpg.connect(os.environ.get("DATABASE_URL"))
    print(await connection.fetchval("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"))
asyncio.run(ask())
"""
"""It reads the URL, and where there is none the variables that libpq knows."""
BY_URL = shlex.join([sys.executable, "-c", CLIENT])
BY_NAMES = f"unset DATABASE_URL; {BY_URL}"


@pytest.mark.parametrize("program", [BY_URL, BY_NAMES])
def test_clients_of_the_database_log_in_over_verified_tls(checkout: Checkout, program: str) -> None:
    assert succeed(_in_shell(checkout, program, "--show-secrets")).strip() == "True"


@pytest.mark.parametrize("program", [BY_URL, BY_NAMES])
def test_without_secrets_nothing_logs_in(checkout: Checkout, program: str) -> None:
    done = _in_shell(checkout, program)
    assert done.returncode == 1
    assert "password" in done.stderr.splitlines()[-1]


def test_passwords_are_told_on_request_alone(checkout: Checkout) -> None:
    secret = json.loads(succeed(checkout.dashtam("env", checkout.stack, "--json", "--show-secrets")))
    public = succeed(checkout.dashtam("env", checkout.stack, "--json"))
    assert secret["PGPASSWORD"] not in public
    assert secret["REDISCLI_AUTH"] not in public
    assert json.loads(public).keys() == secret.keys() - {"PGPASSWORD", "REDISCLI_AUTH"}


def test_clients_of_the_cache_log_in_over_verified_tls(checkout: Checkout) -> None:
    variables = json.loads(succeed(checkout.dashtam("env", checkout.stack, "--json", "--show-secrets")))
    with redis.Redis.from_url(variables["REDIS_URL"]) as client:
        assert client.ping()


def test_the_service_is_verified_by_the_certificate(checkout: Checkout) -> None:
    variables = json.loads(succeed(checkout.dashtam("env", checkout.stack, "--json")))
    file = Path(variables["DASHTAM_CA_FILE"])
    assert file.is_relative_to(checkout.data)
    trusting = ssl.create_default_context(cafile=file)
    assert httpx.get(f"{variables['APP_URL']}/health", verify=trusting).json() == {"status": "ok"}


def test_secrets_of_no_environment_are_a_wrong_usage(checkout: Checkout) -> None:
    assert checkout.dashtam("env", "--show-secrets").returncode == 2
    assert checkout.dashtam("env", "nowhere").returncode == 2


def test_an_environment_that_is_down_is_told(checkout: Checkout) -> None:
    done = checkout.dashtam("env", "dev")
    assert done.returncode == 1
    assert "./dashtam up dev" in done.stderr


def test_the_first_commands_of_a_clone_may_come_at_the_same_time(tmp_path: Path) -> None:
    fresh = checkouts.make(tmp_path)
    try:
        with ThreadPoolExecutor(3) as pool:
            done = [each.result() for each in [pool.submit(fresh.dashtam, "env", "--json") for _ in range(3)]]
        assert len({succeed(one) for one in done}) == 1
        stacks = json.loads(succeed(fresh.pulumi("stack", "ls", "--json")))
        assert {stack["name"] for stack in stacks} == {"ci", "dev", "test", fresh.stack}
    finally:
        shutil.rmtree(tmp_path)
