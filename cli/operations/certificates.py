"""An environment's certificates: as its services really serve them, else as they are recorded."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from cli.core.errors import UserError
from cli.engine.container import rank
from cli.environments import states
from cli.operations.session import Session
from cli.operations.up import up
from cli.pulumi.stack_state import AUTHORITY, CERTIFICATE, KEY, StackState
from infra.loopback import LOCALHOST, LOOPBACK

CA = "ca"
SERVED = "served"
RECORDED = "recorded"

_TIMEOUT = 5.0
"""Seconds for a TLS handshake on this machine."""
_SSL_REQUEST = bytes.fromhex("0000000804d2162f")
"""PostgreSQL manual, 53.7: after it, and the server's `S`, TLS begins."""
_OF_CERTIFICATES = "dashtam:index:Certificates$"


@dataclass(frozen=True)
class Certificate:
    """A certificate.

    Args:
        subject: Its subject (RFC 4514).
        issuer: Its issuer (RFC 4514).
        source: `served` if a verified TLS handshake gave it, `recorded` if it is in Pulumi's state only.
        trouble: Why clients refuse it; empty if they don't.
    """

    service: str
    subject: str
    names: tuple[str, ...]
    issuer: str
    serial: str
    fingerprint: str
    begins: datetime
    ends: datetime
    source: str
    trouble: str

    def days_left(self, now: datetime) -> int:
        """Return the whole days until it expires; less than 0 once it has."""
        return (self.ends - now).days


def certificates(state: StackState) -> list[Certificate]:
    """Return the certificates of an environment: its CA's, then those of its services in their order."""
    pem = authority(state)
    if pem is None:
        return []
    ca = x509.load_pem_x509_certificate(pem.encode())
    found = [_describe(CA, ca, RECORDED, _validity(ca))]
    ports: Mapping[str, int | None] = state.outputs.get("ports") or {}
    host, name = state.outputs.get("client_host") or LOOPBACK, state.outputs.get("hostname") or LOCALHOST
    by_service = {one.name.removesuffix("-certificate"): one for one in state.of(CERTIFICATE)}
    for service in sorted(by_service, key=lambda name: (rank(name), name)):
        one = by_service[service]
        leaf = x509.load_pem_x509_certificate(one.outputs["certPem"].encode())
        if port := ports.get(service):
            found.append(_served(service, leaf, (host, port), name, pem))
        else:
            found.append(_describe(service, leaf, RECORDED, _validity(leaf)))
    return found


def authority(state: StackState) -> str | None:
    """Return an environment's CA certificate in PEM; None where the environment is not running."""
    return next((str(one.outputs["certPem"]) for one in state.of(AUTHORITY)), None)


def _served(service: str, known: x509.Certificate, address: tuple[str, int], name: str, ca: str) -> Certificate:
    try:
        found = _handshake(address, name, ca, speaks_postgres=service == "postgres")
    except ssl.SSLCertVerificationError as error:
        return _describe(service, known, RECORDED, error.verify_message)
    except OSError as error:
        return _describe(service, known, RECORDED, f"it does not answer: {error.strerror or error}")
    served = x509.load_der_x509_certificate(found)
    return _describe(
        service,
        served,
        SERVED,
        "" if served == known else "it serves a different certificate from the one in Pulumi's state",
    )


def _handshake(address: tuple[str, int], name: str, ca: str, *, speaks_postgres: bool) -> bytes:
    """Return the certificate that a service serves, verified as its clients do."""
    context = ssl.create_default_context(cadata=ca)
    with socket.create_connection(address, timeout=_TIMEOUT) as connection:
        if speaks_postgres:
            connection.sendall(_SSL_REQUEST)
            if connection.recv(1) != b"S":
                raise ConnectionError("it doesn't use TLS")
        with context.wrap_socket(connection, server_hostname=name) as secured:
            return secured.getpeercert(binary_form=True) or b""


def _validity(certificate: x509.Certificate) -> str:
    now = datetime.now(UTC)
    if now < certificate.not_valid_before_utc:
        return "certificate is not yet valid"
    return "certificate has expired" if now > certificate.not_valid_after_utc else ""


def _describe(service: str, certificate: x509.Certificate, source: str, trouble: str) -> Certificate:
    return Certificate(
        service=service,
        subject=certificate.subject.rfc4514_string(),
        names=_names(certificate),
        issuer=certificate.issuer.rfc4514_string(),
        serial=f"{certificate.serial_number:x}",
        fingerprint=certificate.fingerprint(hashes.SHA256()).hex(":"),
        begins=certificate.not_valid_before_utc,
        ends=certificate.not_valid_after_utc,
        source=source,
        trouble=trouble,
    )


def _names(certificate: x509.Certificate) -> tuple[str, ...]:
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    return tuple(str(name.value) for name in found)


def renew(session: Session, stack: str) -> None:
    """Give an environment new keys and certificates, its CA's too, and wait until its services are healthy."""
    state = states.read(session.clone, stack)
    # A certificate follows its key: what is signed by, or for, another key is replaced.
    keys = [one.urn for one in state.of(KEY) if _OF_CERTIFICATES in one.urn]
    if not keys:
        raise UserError(f"{stack} is not running.", remedy=f"Bring it up: `./dashtam up {stack}` makes certificates.")
    up(session, stack, replace=keys)
