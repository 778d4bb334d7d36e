from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from typer.testing import CliRunner

from cli.core.errors import UserError
from cli.environments import clone
from cli.environments.clone import Clone
from cli.main import app
from cli.operations import session
from cli.operations.up import up
from cli.operations.update import watcher
from cli.pulumi.stack_state import AUTHORITY, CERTIFICATE, KEY, Resource
from cli.trust_stores import authority
from cli.trust_stores.authority import Authority
from tests.unit.cli.backend import Backend
from tests.unit.cli.operations.test_certificates import _served
from tests.unit.cli.world import CONFIG, World

if TYPE_CHECKING:
    from pathlib import Path

    from typer.testing import Result

    from cli.operations.session import Session


NOW = datetime.now(UTC)
SOON = NOW + timedelta(days=10, hours=12)
PAST = NOW - timedelta(days=1, hours=12)
KEY_URN = "urn:pulumi:test::dashtam::dashtam:index:Certificates$tls:index/privateKey:PrivateKey::ca-key"

Pair = tuple[x509.Certificate, ec.EllipticCurvePrivateKey]


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _pair(subject: str, signer: Pair | None = None, ends: datetime = SOON) -> Pair:
    """Return a certificate and its key: a CA's, or one that a CA signed."""
    key = ec.generate_private_key(ec.SECP256R1())
    issuer, signing = (signer[0].subject, signer[1]) if signer else (_name(subject), key)
    made = x509.CertificateBuilder(issuer, _name(subject), key.public_key(), x509.random_serial_number())
    names = x509.SubjectAlternativeName([x509.DNSName("app"), x509.DNSName("localhost")])
    extension = names if signer else x509.BasicConstraints(ca=True, path_length=None)
    made = made.not_valid_before(NOW - timedelta(days=20)).not_valid_after(ends)
    return made.add_extension(extension, critical=False).sign(signing, hashes.SHA256()), key


def _pem(pair: Pair) -> str:
    return pair[0].public_bytes(serialization.Encoding.PEM).decode()


def _fingerprint(pair: Pair) -> str:
    return pair[0].fingerprint(hashes.SHA256()).hex(":")


def _state(ca: Pair, leaf: Pair, port: int | None = None) -> list[Resource]:
    return [
        Resource("pulumi:pulumi:Stack", "s", "", outputs={"ports": {"app": port}}),
        Resource(KEY, "ca-key", "0", KEY_URN),
        Resource(AUTHORITY, "ca", "1", outputs={"certPem": _pem(ca)}),
        Resource(CERTIFICATE, "app-certificate", "2", outputs={"certPem": _pem(leaf)}),
    ]


@pytest.fixture(scope="module")
def ca() -> Pair:
    return _pair("CA")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Clone:
    here = Clone("me", tmp_path, tmp_path / "home")
    here.home.mkdir()
    monkeypatch.setattr(clone, "current", lambda: here)
    return here


@pytest.fixture
def backend(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, here: Clone) -> Backend:
    assert here.root == tmp_path
    backend = Backend(tmp_path / "state")
    for name, value in backend.environ.items():
        monkeypatch.setenv(name, value)
    return backend


def _certs(*options: str) -> Result:
    return CliRunner().invoke(app, ["certs", "test", *options], catch_exceptions=False)


def test_what_a_certificate_says_is_shown_as_it_is(backend: Backend, ca: Pair, tmp_path: Path) -> None:
    leaf = _pair("app [bold]", ca)
    with _served(tmp_path, leaf, b"") as port:
        backend.write("test", _state(ca, leaf, port))
        done = _certs()
    assert done.exit_code == 0
    lines = (_fingerprint(ca), _fingerprint(leaf), "CN=app [bold]", "app, localhost", "10 days", "served, and verifies")
    assert [line for line in lines if line not in done.stdout] == []


@pytest.mark.parametrize(("ends", "trouble", "days"), [(SOON, "", 10), (PAST, "certificate has expired", -2)])
def test_scripts_are_told_what_clients_refuse(
    backend: Backend, ca: Pair, ends: datetime, trouble: str, days: int
) -> None:
    backend.write("test", _state(ca, _pair("app", ca, ends)))
    done = _certs("--json")
    assert done.exit_code == (2 if trouble else 0)
    found: list[dict[str, Any]] = json.loads(done.stdout)["certificates"]
    assert [(one["service"], one["source"], one["trouble"], one["days_left"]) for one in found] == [
        ("ca", "recorded", "", 10),
        ("app", "recorded", trouble, days),
    ]
    assert (found[0]["subject"], found[1]["issuer"]) == ("CN=CA", "CN=CA")
    assert datetime.fromisoformat(found[1]["ends"]) == ends.replace(microsecond=0)


@pytest.mark.parametrize("state", [None, []])
def test_an_environment_that_is_down_has_none(backend: Backend, state: list[Resource] | None) -> None:
    if state is not None:
        backend.write("test", state)
    with pytest.raises(UserError, match="test is not running") as raised:
        _certs()
    assert "`./dashtam up test`" in raised.value.remedy


class Renewing(World):
    """A world in which an update that replaces the CA's key makes new certificates."""

    def update(self, command: str, stack: str, *flags: str, **callbacks: object) -> bool:
        if f"--replace={KEY_URN}" in flags:
            new = _pair("new CA")
            Backend(self.root / "state").write(stack, _state(new, _pair("app", new)))
        return super().update(command, stack, *flags, **callbacks)


@pytest.fixture
def world(here: Clone, monkeypatch: pytest.MonkeyPatch) -> World:
    (here.root / "Pulumi.test.yaml").write_text(CONFIG)
    world = Renewing(here, here.root)
    monkeypatch.setattr(watcher, "EngineView", lambda _client: world)
    monkeypatch.setattr(session, "prepare", lambda **_: world)
    return world


@pytest.mark.parametrize("trusted", [True, False])
def test_a_renewal_makes_new_ones_and_tells_who_trusts_the_earlier_ca(
    backend: Backend, ca: Pair, world: World, trusted: bool
) -> None:
    backend.write("test", _state(ca, _pair("app", ca)))
    if trusted:
        authority.note(world.clone, Authority("test", _pem(ca)))
    done = _certs("--renew", "--json")
    assert done.exit_code == 0
    found = {one["service"]: one for one in json.loads(done.stdout)["certificates"]}
    assert (found["ca"]["subject"], found["app"]["issuer"]) == ("CN=new CA", "CN=new CA")
    assert world.up.keys() == {"test"}
    assert ("`./dashtam trust test` replaces it" in " ".join(done.stderr.split())) is trusted


def test_certificates_of_a_clock_that_was_ahead_are_renewed_after_it_was_set_right(
    backend: Backend, ca: Pair, world: World
) -> None:
    ahead = {"validityStartTime": (NOW + timedelta(hours=2)).isoformat()}
    state = [replace(one, outputs={**one.outputs, **ahead}) for one in _state(ca, _pair("app", ca))]
    backend.write("test", state)
    with pytest.raises(UserError, match="certificates of test are not valid for another") as raised:
        up(cast("Session", world), "test")
    assert "`./dashtam certs test --renew`" in raised.value.remedy
    assert world.updates == []
    done = _certs("--renew", "--json")
    assert done.exit_code == 0
    assert {one["issuer"] for one in json.loads(done.stdout)["certificates"]} == {"CN=new CA"}
    up(cast("Session", world), "test")


def test_what_is_down_is_not_brought_up_to_renew_it(backend: Backend, world: World) -> None:
    backend.write("test", [])
    with pytest.raises(UserError, match="test is not running"):
        _certs("--renew")
    assert world.updates == []
