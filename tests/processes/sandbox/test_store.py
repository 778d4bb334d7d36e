"""What people decided is in Redis: it outlasts the sandbox, and without it the sandbox answers nobody."""

from __future__ import annotations

import json
import ssl
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from infra.services.redis import SANDBOX_KEYS
from tests.processes.sandbox.conftest import awaited, certificate, given, pem
from tests.processes.sandbox.provider import Authorization, claims, redeem, refresh, returned, revoke
from tests.processes.sandbox.store import Store
from tests.system.running import wait_until

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable
    from pathlib import Path

    from tests.processes.sandbox.conftest import Environ, Start
    from tests.processes.sandbox.provider import Person, Running

    Meet = Callable[[Running], Person]

DAY = 24 * 60 * 60
DATABASE = 3


@pytest.fixture
def own(files: Environ, store: Store) -> Environ:
    """What the program gives a sandbox, with the test's own store."""
    return given(files, store)


@pytest.fixture(scope="session")
def second_store(open_store: Callable[[], Store]) -> Store:
    """A store that only the second server uses."""
    return open_store()


@pytest.fixture(scope="session")
def second_server(start: Start, files: Environ, second_store: Store) -> Running:
    environ = given(files, second_store)
    return awaited(start(environ), environ)


@pytest.fixture
def alone(second_server: Running, second_store: Store) -> Running:
    """A server with a store that is empty when the test begins."""
    second_store.database(DATABASE).flushdb()
    return second_server


def linked(running: Running, person: Person, name: str = "ada") -> str:
    """Link an account, and return its refresh token."""
    asked = Authorization()
    token: str = redeem(running, asked, person.links(asked, name)["code"]).json()["refresh_token"]
    return token


def events(process: subprocess.Popen[str]) -> list[dict[str, str]]:
    """Stop a server, and return what it said since it was waited for."""
    process.terminate()
    return [json.loads(line) for line in process.communicate(timeout=20)[0].splitlines()]


def test_a_restart_changes_nothing_of_what_people_did(start: Start, own: Environ, meet: Meet) -> None:
    before = awaited(start(own), own)
    tokens = {name: linked(before, meet(before), name) for name in ("linked", "revoked", "rotated")}
    assert revoke(before, tokens["revoked"]).status_code == 200
    tokens["new"] = refresh(before, tokens["rotated"]).json()["refresh_token"]
    knows = meet(before)
    linked(before, knows)
    begun = {step: (meet(before), Authorization()) for step in ("login", "consent", "code")}
    pages = {step: person.opens(asked) for step, (person, asked) in begun.items()}
    for step in ("consent", "code"):
        pages[step] = begun[step][0].submits(pages[step], "Log in", name=step)
    pages["code"] = begun["code"][0].submits(pages["code"], "Allow")

    before.process.terminate()
    assert before.process.wait(20) == 0
    after = awaited(start({**own, "PORT": str(before.port)}), own)

    pages["login"] = begun["login"][0].submits(pages["login"], "Log in", name="login")
    for step in ("login", "consent"):
        pages[step] = begun[step][0].submits(pages[step], "Allow")
    redeemed = {
        step: redeem(after, asked, returned(pages[step])["code"]).status_code for step, (_, asked) in begun.items()
    }
    assert redeemed == {"login": 200, "consent": 200, "code": 200}
    assert "code" in returned(knows.opens(Authorization()))
    assert "<strong>ada</strong>" in knows.opens(Authorization(), {"prompt": "consent"}).text
    answers = {name: refresh(after, tokens[name]) for name in ("linked", "revoked", "rotated", "new")}
    assert claims(answers["linked"].json()["id_token"])["sub"] == "linked"
    # A token that was rotated away and is used again ends the one that replaced it.
    assert {name: answer.json().get("error") for name, answer in answers.items()} == {
        "linked": None,
        "revoked": "invalid_grant",
        "rotated": "invalid_grant",
        "new": "invalid_grant",
    }


def test_two_with_a_redis_each_know_nothing_of_each_other(alone: Running, running: Running, meet: Meet) -> None:
    token = linked(alone, meet(alone))
    assert refresh(running, token).json()["error"] == "invalid_grant"
    assert refresh(alone, token).status_code == 200


def test_everything_ends_and_no_name_tells_a_token(alone: Running, second_store: Store, meet: Meet) -> None:
    token = refresh(alone, linked(alone, meet(alone))).json()["refresh_token"]
    content = second_store.database(DATABASE)
    names = [str(name) for name in content.scan_iter()]
    kinds = {name.split(":")[1] for name in names}
    assert {"Session", "Grant", "AccessToken", "RefreshToken", "AuthorizationCode", "grant", "uid"} <= kinds
    assert all(name.startswith(SANDBOX_KEYS) for name in names)
    assert all(0 < content.ttl(name) <= 8 * DAY for name in names)
    assert not [name for name in names if token in name]


def test_a_revoked_grant_leaves_nothing_that_works(alone: Running, second_store: Store, meet: Meet) -> None:
    revoke(alone, linked(alone, meet(alone)))
    kinds = {str(name).split(":")[1] for name in second_store.database(DATABASE).scan_iter()}
    assert "Session" in kinds
    assert not kinds & {"Grant", "AccessToken", "RefreshToken", "AuthorizationCode", "grant"}


def test_it_waits_for_redis_and_outlasts_a_restart_of_it(start: Start, own: Environ, store: Store, meet: Meet) -> None:
    store.goes()
    process = start(own)
    assert process.stdout
    waiting = json.loads(process.stdout.readline())
    assert (waiting["event"], waiting["level"]) == ("waiting for Redis", "warning")
    assert "ECONNREFUSED" in waiting["reason"]
    store.comes()
    running = awaited(process, own)
    token = linked(running, meet(running))
    store.goes()
    # Each waits as long as a request may for a short restart.
    with running.client() as client, ThreadPoolExecutor(1) as beside:
        refused = beside.submit(refresh, running, token)
        ill, answer = client.get("/health"), refused.result(20)
        assert (ill.status_code, ill.json()["status"]) == (503, "unavailable")
        assert ill.json()["reason"].startswith("Redis: ")
        assert (answer.status_code, answer.json()["error"]) == (500, "server_error")
        store.comes()
        wait_until(lambda: client.get("/health").status_code == 200, "healthy", seconds=20)
    assert refresh(running, token).status_code == 200
    said = events(running.process)
    assert [one["event"] for one in said if "Redis" in one["event"]][-1] == "Redis is ready"
    assert token not in json.dumps(said)


def test_a_request_outlasts_a_short_restart(alone: Running, second_store: Store, meet: Meet) -> None:
    token = linked(alone, meet(alone))
    second_store.goes()
    second_store.comes()
    assert refresh(alone, token).status_code == 200


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
        process = start({**own, "REDIS_PORT": str(stranger.port), "STARTUP_TIMEOUT": "0"})
        _, err = process.communicate(timeout=20)
    finally:
        stranger.ends()
    assert process.returncode == 1
    assert "certificate" in err
