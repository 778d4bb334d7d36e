"""Every server speaks TLS that verifies, to clients on the host and inside, and refuses everything else."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from infra.naming import SERVICES
from tests.system.checkout import ROOT
from tests.system.environments import INNER_PORTS, Environment
from tests.system.running import run, succeed

SCRIPT = (Path(__file__).parent / "probes/handshake.py").read_text()
PROTOCOLS = {"postgres": "postgres", "redis": "redis", "app": "https", "callback": "https", "sandbox": "https"}
HOST_NAMES = ("localhost", "127.0.0.1")
VIEWS = (("test", "host"), ("further", "host"), ("test", "inside"), ("ci", "inside"), ("further", "inside"))
WEAK = "ALL:!AESGCM:!AESCCM:!CHACHA20:!ARIAGCM"
UNVERIFIED = "CERTIFICATE_VERIFY_FAILED"

REFUSALS = {
    "another environment's CA": UNVERIFIED,
    "the system's CAs": UNVERIFIED,
    "a name that is not the server's": UNVERIFIED,
    "TLS 1.2 without authenticated encryption": "HANDSHAKE_FAILURE|EOF occurred|reset by peer",
    "TLS 1.1": "ALERT_PROTOCOL_VERSION|EOF occurred|reset by peer",
}
"""What clients say; a server that won't speak an old version says so, or hangs up."""

PLAINTEXT = {
    "postgres": r"no pg_hba\.conf entry .*no encryption",
    "redis": r"closed|reset by peer",
    "https": r"closed|reset by peer",
}
"""What servers answer to plaintext: nothing that they would tell a client."""

Answers = dict[tuple[str, str, str, str], str]
"""By view, service, kind of attempt, and name that was used."""


@pytest.fixture(scope="module")
def answers(every: dict[str, Environment]) -> Answers:
    """What the servers answer, seen from everywhere."""
    return {("-".join(view), *key): answer for view in VIEWS for key, answer in _ask(view, every).items()}


def _ask(view: tuple[str, str], every: dict[str, Environment]) -> dict[tuple[str, str, str], str]:
    part, side = view
    environment = every[part]
    stranger = next(one for one in every.values() if one is not environment)
    attempts = [
        (service, *attempt)
        for service in SERVICES
        for attempt in _attempts(environment, side, service, stranger.outputs.ca_certificate)
    ]
    job = json.dumps([attempt for _, _, attempt in attempts])
    if side == "host":
        said = succeed(run([sys.executable, "-I", "-c", SCRIPT, job], cwd=ROOT))
    else:
        said = environment.run_beside("app", SCRIPT, job)
    keys = [(service, kind, attempt["host"]) for service, kind, attempt in attempts]
    return dict(zip(keys, json.loads(said), strict=True))


def _attempts(environment: Environment, side: str, service: str, stranger: str) -> list[tuple[str, dict[str, Any]]]:
    host_port = getattr(environment.outputs.ports, service)
    inner = {"port": INNER_PORTS[service]}
    usual = {
        "port": host_port if side == "host" else INNER_PORTS[service],
        "protocol": PROTOCOLS[service],
        "trust": environment.outputs.ca_certificate,
        "newest": None,
        "ciphers": "ALL",
        "plain": False,
    }
    names = HOST_NAMES if side == "host" else (service, getattr(environment.outputs.containers, service))
    first = {**usual, "host": names[0]}
    return [
        *(("its own CA", {**usual, "host": name}) for name in names),
        ("another environment's CA", {**first, "trust": stranger}),
        ("the system's CAs", {**first, "trust": None}),
        ("a name that is not the server's", {**usual, **inner, "host": environment.address(service)}),
        ("TLS 1.2", {**first, "newest": "TLSv1_2"}),
        ("TLS 1.2 without authenticated encryption", {**first, "newest": "TLSv1_2", "ciphers": WEAK}),
        ("TLS 1.1", {**first, "newest": "TLSv1_1"}),
        ("plaintext", {**first, "plain": True}),
    ]


def _of_kind(answers: Answers, kind: str) -> Answers:
    """Return the answers to one kind of attempt, of which every view has some for every service."""
    found = {key: answer for key, answer in answers.items() if key[2] == kind}
    assert {key[:2] for key in found} == {("-".join(view), service) for view in VIEWS for service in SERVICES}
    return found


def test_every_server_is_verified_by_every_name(answers: Answers) -> None:
    found = _of_kind(answers, "its own CA")
    assert len(found) == 2 * len(VIEWS) * len(SERVICES)
    assert {key: answer for key, answer in found.items() if answer != "verified"} == {}


@pytest.mark.parametrize("kind", REFUSALS)
def test_is_refused(answers: Answers, kind: str) -> None:
    found = _of_kind(answers, kind)
    assert {key: answer for key, answer in found.items() if not re.search(REFUSALS[kind], answer)} == {}


def test_a_client_of_tls_1_2_is_served(answers: Answers) -> None:
    assert set(_of_kind(answers, "TLS 1.2").values()) == {"verified"}


def test_plaintext_is_refused(answers: Answers) -> None:
    patterns = {service: PLAINTEXT[PROTOCOLS[service]] for service in SERVICES}
    found = _of_kind(answers, "plaintext")
    assert {key: answer for key, answer in found.items() if not re.search(patterns[key[1]], answer)} == {}
