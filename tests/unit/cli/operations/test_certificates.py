from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from cli.operations import certificates
from cli.pulumi.stack_state import AUTHORITY, CERTIFICATE, Resource, StackState

NOW = datetime.now(UTC)
DAY = timedelta(days=1)


class Authority:
    """A CA that signs certificates for this machine."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "CA")])
        self.certificate = self._sign(self._name, self._key, NOW + 30 * DAY, x509.BasicConstraints(True, None))

    def leaf(self, ends: datetime = NOW + 10 * DAY) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "redis")])
        names = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))])
        return self._sign(subject, key, ends, names), key

    def _sign(
        self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, ends: datetime, extension: x509.ExtensionType
    ) -> x509.Certificate:
        made = x509.CertificateBuilder(
            issuer_name=self._name, subject_name=subject, public_key=key.public_key(), serial_number=255
        )
        made = made.not_valid_before(NOW - 20 * DAY).not_valid_after(ends).add_extension(extension, critical=False)
        return made.sign(self._key, hashes.SHA256())


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def _state(authority: Authority, leaf: x509.Certificate, port: int | None, service: str = "redis") -> StackState:
    return StackState(
        [
            Resource("pulumi:pulumi:Stack", "s", "", outputs={"ports": {service: port}}),
            Resource(AUTHORITY, "ca", "1", outputs={"certPem": _pem(authority.certificate)}),
            Resource(CERTIFICATE, f"{service}-certificate", "2", outputs={"certPem": _pem(leaf)}),
        ]
    )


def test_services_are_in_their_order_whatever_that_of_the_state_is() -> None:
    authority = Authority()
    pem = _pem(authority.leaf()[0])
    services = ("edge", "sandbox", "callback", "app", "redis", "postgres")
    leaves = [Resource(CERTIFICATE, f"{one}-certificate", one, outputs={"certPem": pem}) for one in services]
    root = Resource(AUTHORITY, "ca", "1", outputs={"certPem": _pem(authority.certificate)})
    found = certificates.certificates(StackState([*leaves, root]))
    assert [one.service for one in found] == ["ca", "postgres", "redis", "app", "callback", "sandbox", "edge"]


@contextmanager
def _served(folder: Path, pair: tuple[x509.Certificate, ec.EllipticCurvePrivateKey], greeting: bytes) -> Iterator[int]:
    """Serve one client over TLS, after an answer in clear if there is one; yields the port."""
    file = folder / "pair.pem"
    private = pair[1].private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(private + _pem(pair[0]).encode())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                if greeting:
                    connection.recv(8)
                    connection.sendall(greeting)
                try:
                    context.wrap_socket(connection, server_side=True).close()
                except (ssl.SSLError, OSError):
                    return

        thread = threading.Thread(target=serve)
        thread.start()
        yield server.getsockname()[1]
        thread.join(10)


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


@pytest.mark.parametrize(("service", "greeting"), [("redis", b""), ("postgres", b"S")])
def test_what_is_served_is_shown(authority: Authority, tmp_path: Path, service: str, greeting: bytes) -> None:
    pair = authority.leaf()
    with _served(tmp_path, pair, greeting) as port:
        ca, leaf = certificates.certificates(_state(authority, pair[0], port, service))
    assert (ca.service, ca.source, ca.names, ca.subject) == ("ca", "recorded", (), "CN=CA")
    assert (leaf.service, leaf.source, leaf.trouble) == (service, "served", "")
    assert (leaf.serial, leaf.names, leaf.issuer) == ("ff", ("localhost", "127.0.0.1"), "CN=CA")
    assert leaf.fingerprint == pair[0].fingerprint(hashes.SHA256()).hex(":")
    assert leaf.days_left(NOW) == 9


def test_one_that_is_not_recorded_is_told(authority: Authority, tmp_path: Path) -> None:
    with _served(tmp_path, authority.leaf(), b"") as port:
        [_, leaf] = certificates.certificates(_state(authority, authority.leaf()[0], port))
    assert (leaf.source, leaf.trouble) == ("served", "it serves a different certificate from the one in Pulumi's state")


@pytest.mark.parametrize("expired", [True, False])
def test_one_that_does_not_verify_is_told(authority: Authority, tmp_path: Path, expired: bool) -> None:
    pair = authority.leaf(NOW - DAY) if expired else Authority().leaf()
    with _served(tmp_path, pair, b"") as port:
        [_, leaf] = certificates.certificates(_state(authority, pair[0], port))
    assert leaf.source == "recorded"
    assert ("expired" if expired else "signature failure") in leaf.trouble


def test_a_database_without_tls_is_told(authority: Authority, tmp_path: Path) -> None:
    pair = authority.leaf()
    with _served(tmp_path, pair, b"N") as port:
        [_, leaf] = certificates.certificates(_state(authority, pair[0], port, "postgres"))
    assert "it doesn't use TLS" in leaf.trouble


@pytest.mark.parametrize(("ends", "trouble"), [(NOW + DAY, ""), (NOW - DAY, "certificate has expired")])
def test_what_is_not_published_is_shown_as_recorded(authority: Authority, ends: datetime, trouble: str) -> None:
    [_, leaf] = certificates.certificates(_state(authority, authority.leaf(ends)[0], None))
    assert (leaf.source, leaf.trouble) == ("recorded", trouble)


def test_an_environment_that_is_down_has_none() -> None:
    assert certificates.certificates(StackState([])) == []
