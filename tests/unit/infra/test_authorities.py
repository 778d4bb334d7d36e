from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import certifi
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from infra import authorities


def authority(name: str) -> str:
    """Make a CA's certificate in PEM."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.PEM).decode()


PROXY, COMPANY = authority("A proxy"), authority("A company")


@pytest.fixture
def local(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder for certificates that were added, on a system without a folder of public ones."""
    monkeypatch.setattr(authorities, "PUBLIC", tmp_path / "public")
    folder = tmp_path / "local"
    folder.mkdir()
    return folder


@pytest.mark.parametrize("environ", [{}, {"SSL_CERT_FILE": ""}, {"SSL_CERT_FILE": "/nowhere/at/all.pem"}])
def test_the_public_ones_alone_are_none(environ: dict[str, str], local: Path) -> None:
    assert authorities.added(environ, local) == ""
    assert authorities.added(environ, local / "absent") == ""
    assert authorities.added({"SSL_CERT_FILE": certifi.where()}, local) == ""


def test_those_added_to_the_system_are_found(local: Path) -> None:
    (local / "company").mkdir()
    (local / "company/ca.crt").write_text(f"# A comment\n{COMPANY}{PROXY}")
    (local / "README").write_text(authority("not a certificate by its name"))
    assert authorities.added({}, local) == COMPANY + PROXY


def test_of_a_bundle_those_that_are_not_public_are_found_once(local: Path, tmp_path: Path) -> None:
    bundle = tmp_path / "bundle.pem"
    bundle.write_text(Path(certifi.where()).read_text() + COMPANY.replace("\n", "\r\n") + PROXY)
    (local / "ca.crt").write_text(COMPANY)
    assert authorities.added({"SSL_CERT_FILE": str(bundle)}, local) == COMPANY + PROXY


def test_those_of_the_system_s_public_folder_are_public(local: Path) -> None:
    (authorities.PUBLIC / "mozilla").mkdir(parents=True)
    (authorities.PUBLIC / "mozilla/company.crt").write_text(COMPANY)
    (local / "ca.crt").write_text(COMPANY + PROXY)
    assert authorities.added({}, local) == PROXY


def test_an_environment_s_own_is_none(local: Path, tmp_path: Path) -> None:
    bundle = tmp_path / "bundle.pem"
    bundle.write_text(COMPANY + PROXY)
    (local / "dashtam-dev-0a1b2c3d.crt").write_text(COMPANY)
    assert authorities.added({}, local) == ""
    assert authorities.added({"SSL_CERT_FILE": str(bundle)}, local) == PROXY


def test_what_is_damaged_is_left_out(local: Path) -> None:
    (local / "a.crt").write_text(COMPANY.replace("MII", "MIx", 1))
    (local / "b.crt").write_bytes(b"\xff\xfe")
    (local / "c.crt").mkdir()
    (local / "d.crt").write_text(PROXY)
    assert authorities.added({}, local) == PROXY
