"""What people linked at the sandbox outlasts whatever happens to its container, and to a Redis that keeps its data."""

from __future__ import annotations

import json
import ssl
import subprocess
from collections.abc import Iterator

import httpx2
import pytest

from tests.api.person import Person
from tests.system import damage
from tests.system.environments import Environment, is_up
from tests.system.running import wait_until

PASSWORD = "/run/secrets/redis-password"


@pytest.fixture
def person(further: Environment) -> Iterator[Person]:
    """Somebody at the further environment's app."""
    tls = ssl.create_default_context(cadata=further.outputs.ca_certificate)
    app = further.outputs.urls.app or ""
    with httpx2.Client(base_url=app, verify=tls, trust_env=False, follow_redirects=True, timeout=20) as client:
        yield Person(client)


def _refreshed(person: Person, connection: str) -> tuple[int, str]:
    """Ask the app to refresh an account; return its answer's status, and what has become of the account."""
    proof = {"X-CSRF-Token": person.proofs()["CSRF"]}
    answer = person.client.post(f"/api/v1/connections/{connection}/refresh", headers=proof)
    return answer.status_code, answer.json().get("status", answer.text)


def test_an_account_is_lost_neither_without_redis_nor_with_a_restart(person: Person, further: Environment) -> None:
    connection = person.link("ada")
    damage.pause(further.container("redis"))
    try:
        status, said = further.execute("sandbox", "node", "src/probe.mjs", "https://localhost:8282/health")
    finally:
        further.container("redis").unpause()
    # The connection is open still, and nobody answers on it.
    assert (status, said.splitlines()) == (1, ["https://localhost:8282/health: no answer in time"])
    wait_until(lambda: is_up(further.client, further.name), "all services healthy")
    assert _refreshed(person, connection) == (200, "active")
    further.container("redis").restart()
    wait_until(lambda: is_up(further.client, further.name), "all services healthy after a restart of Redis")
    assert _refreshed(person, connection) == (200, "active")
    further.container("sandbox").restart()
    wait_until(lambda: is_up(further.client, further.name), "all services healthy after a restart of the sandbox")
    assert _refreshed(person, connection) == (200, "active")
    # Neither is who logged in there forgotten: the consent page knows the name.
    assert person.link("grace") != connection


def _replace_password(further: Environment, content: bytes) -> None:
    """Write another password where the sandbox reads its own, which only root can."""
    mount = next(one for one in further.inspect("sandbox")["Mounts"] if one["Destination"] == "/run/secrets")
    command = ["docker", "run", "--rm", "--interactive", "--network", "none", "--user", "0:0", "--entrypoint", "sh"]
    volume = ["--volume", f"{mount['Name']}:/run/secrets", further.image("redis")]
    subprocess.run([*command, *volume, "-c", f"cat > {PASSWORD}"], input=content, check=True, capture_output=True)


def test_a_wrong_password_is_told_and_not_healthy(further: Environment) -> None:
    status, right = further.execute("sandbox", "cat", PASSWORD)
    assert status == 0
    container = further.container("sandbox")
    _replace_password(further, b"wrong-and-never-shown")
    try:
        container.restart()
        wait_until(lambda: b"WRONGPASS" in container.logs(tail=5), "told")
        container.reload()
        assert container.health != "healthy"
        said = container.logs(tail=1).decode()
        assert json.loads(said)["event"] == "waiting for Redis"
        assert "wrong-and-never-shown" not in said
    finally:
        _replace_password(further, right.encode())
        container.restart()
    wait_until(lambda: is_up(further.client, further.name), "all services healthy")
