"""What people decided is in Redis: it outlasts the sandbox, and without it the sandbox answers nobody."""

from __future__ import annotations

import json
import ssl
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from infra.redis import SANDBOX_KEYS
from tests.system.running import wait_until
from tests.unit.sandbox.conftest import awaited, certificate, given, pem
from tests.unit.sandbox.provider import Authorization, claims, redeem, refresh, returned, revoke
from tests.unit.sandbox.store import Store

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable
    from pathlib import Path

    from tests.unit.sandbox.conftest import Environ, Start
    from tests.unit.sandbox.provider import Person, Running

    Meet = Callable[[Running], Person]
    Restart = Callable[[Running, Environ], Running]

DAY = 24 * 60 * 60


@pytest.fixture
def own(files: Environ, store: Store) -> Environ:
    """What the program gives a sandbox, with the test's own store."""
    return given(files, store)


@pytest.fixture
def alone(start: Start, own: Environ) -> Running:
    """A server with the test's own store."""
    return awaited(start(own), own)


def linked(running: Running, person: Person) -> str:
    """Link an account, and return its refresh token."""
    asked = Authorization()
    token: str = redeem(running, asked, person.links(asked)["code"]).json()["refresh_token"]
    return token


def events(process: subprocess.Popen[str]) -> list[dict[str, str]]:
    """Stop a server, and return what it said since it was waited for."""
    process.terminate()
    return [json.loads(line) for line in process.communicate(timeout=20)[0].splitlines()]


def test_an_account_that_was_linked_is_refreshed_after_a_restart(
    alone: Running, own: Environ, meet: Meet, restarted: Restart
) -> None:
    token = linked(alone, meet(alone))
    after = restarted(alone, own)
    answer = refresh(after, token)
    assert answer.status_code == 200
    assert claims(answer.json()["id_token"])["sub"] == "ada"


def test_who_is_logged_in_stays_so_after_a_restart(
    alone: Running, own: Environ, meet: Meet, restarted: Restart
) -> None:
    person = meet(alone)
    linked(alone, person)
    restarted(alone, own)
    assert "code" in returned(person.opens(Authorization()))
    assert "<strong>ada</strong>" in person.opens(Authorization(), {"prompt": "consent"}).text


@pytest.mark.parametrize("step", ["login", "consent", "code"])
def test_what_was_begun_is_finished_after_a_restart(
    alone: Running, own: Environ, meet: Meet, restarted: Restart, step: str
) -> None:
    person, asked = meet(alone), Authorization()
    page = person.opens(asked)
    if step != "login":
        page = person.submits(page, "Log in", name="ada")
    if step == "code":
        page = person.submits(page, "Allow")
    after = restarted(alone, own)
    if step == "login":
        page = person.submits(page, "Log in", name="ada")
    if step != "code":
        page = person.submits(page, "Allow")
    assert redeem(after, asked, returned(page)["code"]).status_code == 200


@pytest.mark.parametrize("end", [revoke, refresh])
def test_what_ended_before_a_restart_is_ended_after_it(
    alone: Running, own: Environ, meet: Meet, restarted: Restart, end: Callable[[Running, str], object]
) -> None:
    token = linked(alone, meet(alone))
    end(alone, token)
    assert refresh(restarted(alone, own), token).json()["error"] == "invalid_grant"


def test_two_with_a_redis_each_know_nothing_of_each_other(alone: Running, running: Running, meet: Meet) -> None:
    token = linked(alone, meet(alone))
    assert refresh(running, token).json()["error"] == "invalid_grant"
    assert refresh(alone, token).status_code == 200


def test_everything_ends_and_no_name_tells_a_token(alone: Running, store: Store, meet: Meet) -> None:
    token = refresh(alone, linked(alone, meet(alone))).json()["refresh_token"]
    content = store.database(3)
    names = [str(name) for name in content.scan_iter()]
    kinds = {name.split(":")[1] for name in names}
    assert {"Session", "Grant", "AccessToken", "RefreshToken", "AuthorizationCode", "grant", "uid"} <= kinds
    assert all(name.startswith(SANDBOX_KEYS) for name in names)
    assert all(0 < content.ttl(name) <= 8 * DAY for name in names)
    assert not [name for name in names if token in name]


def test_a_revoked_grant_leaves_nothing_that_works(alone: Running, store: Store, meet: Meet) -> None:
    revoke(alone, linked(alone, meet(alone)))
    kinds = {str(name).split(":")[1] for name in store.database(3).scan_iter()}
    assert "Session" in kinds
    assert not kinds & {"Grant", "AccessToken", "RefreshToken", "AuthorizationCode", "grant"}


def test_it_outlasts_a_restart_of_redis(alone: Running, store: Store, meet: Meet) -> None:
    token = linked(alone, meet(alone))
    store.goes()
    with alone.client() as client:
        ill = client.get("/health")
        assert (ill.status_code, ill.json()["status"]) == (503, "unavailable")
        assert ill.json()["reason"].startswith("Redis: ")
        answer = refresh(alone, token)
        assert (answer.status_code, answer.json()["error"]) == (500, "server_error")
        store.comes()
        wait_until(lambda: client.get("/health").status_code == 200, "healthy", seconds=20)
    assert refresh(alone, token).status_code == 200
    said = events(alone.process)
    assert [one["event"] for one in said if "Redis" in one["event"]][-1] == "Redis is ready"
    assert token not in json.dumps(said)


def test_a_request_outlasts_a_short_restart(alone: Running, store: Store, meet: Meet) -> None:
    token = linked(alone, meet(alone))
    store.goes()
    store.comes()
    assert refresh(alone, token).status_code == 200


def test_the_start_waits_for_redis(start: Start, own: Environ, store: Store) -> None:
    store.goes()
    process = start(own)
    assert process.stdout
    said = json.loads(process.stdout.readline())
    assert (said["event"], said["level"]) == ("waiting for Redis", "warning")
    assert "ECONNREFUSED" in said["reason"]
    store.comes()
    with awaited(process, own).client() as client:
        assert client.get("/health").json() == {"status": "ok"}


def test_a_redis_that_does_not_come_is_one_line_and_an_exit_status(start: Start, own: Environ, store: Store) -> None:
    store.goes()
    process = start({**own, "STARTUP_TIMEOUT": "1"})
    out, err = process.communicate(timeout=20)
    assert process.returncode == 1
    assert [json.loads(line)["event"] for line in out.splitlines()] == ["waiting for Redis"]
    reason = f"Redis at 127.0.0.1:{store.port} is not ready after 1 s: connect ECONNREFUSED"
    assert err.splitlines()[-1].startswith(f"The sandbox provider does not start: {reason}")


def test_it_stops_in_good_order_while_it_waits(start: Start, own: Environ, store: Store) -> None:
    store.goes()
    process = start(own)
    assert process.stdout
    assert json.loads(process.stdout.readline())["event"] == "waiting for Redis"
    process.terminate()
    assert process.wait(10) == 0


def test_a_redis_that_another_authority_vouches_for_is_refused(start: Start, own: Environ, tmp_path: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    for name, content in {"crt": certificate(key), "key": pem(key)}.items():
        (tmp_path / name).write_text(content)
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(tmp_path / "crt", tmp_path / "key")
    stranger = Store(tls)
    try:
        process = start({**own, "REDIS_PORT": str(stranger.port), "STARTUP_TIMEOUT": "1"})
        _, err = process.communicate(timeout=20)
    finally:
        stranger.ends()
    assert process.returncode == 1
    assert "certificate" in err
