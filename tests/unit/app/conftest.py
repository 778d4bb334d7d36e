"""Certificates, HTTPS servers and settings for tests of the service."""

from __future__ import annotations

import base64
import contextlib
import datetime
import ipaddress
import json
import logging
import os
import socket
import ssl
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING

import httpx2
import hypothesis
import pytest
import structlog
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from app.core.settings import AppSettings, load
from tests.unit.app.browsing import browser, built_app, cache, flow, new_browser, web_app

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    Handler = (
        Callable[[httpx2.Request], httpx2.Response] | Callable[[httpx2.Request], Coroutine[None, None, httpx2.Response]]
    )

__all__ = ["browser", "built_app", "cache", "flow", "new_browser", "web_app"]

DAY = datetime.timedelta(days=1)
TOKEN_KEYS = json.dumps({"active": "k1", "keys": {"k1": base64.b64encode(b"k" * 32).decode()}})

# A busy machine is slow, not wrong.
hypothesis.settings.register_profile(
    "app", deadline=None, max_examples=50, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("app")


@dataclass(frozen=True)
class Authority:
    """A CA that lives as long as the tests."""

    folder: Path
    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @property
    def ca_file(self) -> Path:
        return self.folder / "ca.crt"

    def issue(self, name: str = "localhost", *, lifetime: datetime.timedelta = DAY) -> Path:
        """Make a certificate, with its key in the same file, for one name; a negative lifetime makes an expired one."""
        key = ec.generate_private_key(ec.SECP256R1())
        names: list[x509.GeneralName] = [x509.DNSName(name), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
        certificate = (
            builder(name, self.certificate.subject, key, lifetime)
            .add_extension(x509.SubjectAlternativeName(names[: 2 if name == "localhost" else 1]), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), critical=False)
            .sign(self.key, hashes.SHA256())
        )
        path = self.folder / f"{certificate.serial_number}.pem"
        path.write_bytes(key_bytes(key) + certificate.public_bytes(serialization.Encoding.PEM))
        return path


def builder(
    name: str, issuer: x509.Name | None, key: ec.EllipticCurvePrivateKey, lifetime: datetime.timedelta
) -> x509.CertificateBuilder:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder(issuer or subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - 3 * DAY)
        .not_valid_after(now + lifetime)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def key_bytes(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


@pytest.fixture(scope="session")
def new_authority(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Authority]:
    def make() -> Authority:
        key = ec.generate_private_key(ec.SECP256R1())
        usage = x509.KeyUsage(
            digital_signature=False,
            content_commitment=False,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            key_cert_sign=True,
            crl_sign=True,
            encipher_only=False,
            decipher_only=False,
        )
        certificate = (
            builder("test CA", None, key, DAY)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(usage, critical=True)
            .sign(key, hashes.SHA256())
        )
        authority = Authority(tmp_path_factory.mktemp("ca"), key, certificate)
        authority.ca_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        return authority

    return make


@pytest.fixture(scope="session")
def authority(new_authority: Callable[[], Authority]) -> Authority:
    return new_authority()


@pytest.fixture
def https_server() -> Callable[[Path, int], AbstractContextManager[int]]:
    """Serve one status over HTTPS; gives the port."""

    @contextlib.contextmanager
    def serve(certificate: Path, status: int = 200) -> Iterator[int]:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server = HTTPServer(("127.0.0.1", 0), _handler(status))
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()
            server.server_close()

    return serve


def _handler(status: int) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = f"answer to {self.path}".encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_args: object) -> None:
            """Stay silent."""

    return Handler


@pytest.fixture(scope="session")
def tls_files(authority: Authority) -> dict[str, str]:
    certificate = str(authority.issue())
    measured = {name: value for name, value in os.environ.items() if name.startswith("COVERAGE_")}
    files = {"TLS_CA_FILE": str(authority.ca_file), "TLS_CERTIFICATE_FILE": certificate, "TLS_KEY_FILE": certificate}
    return {**measured, **files}


@pytest.fixture
def tls_environment(tls_files: dict[str, str]) -> dict[str, str]:
    """The certificates of a server; with them a process's coverage is measured where the tests' is."""
    return dict(tls_files)


@pytest.fixture
def app_environment(tls_environment: dict[str, str], tmp_path: Path) -> dict[str, str]:
    """A complete environment of the app, its secrets in files."""
    return complete_environment(tls_environment, tmp_path)


@pytest.fixture(scope="session")
def app_settings(tls_files: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> AppSettings:
    """Settings of an app whose database and cache refuse connections."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("os.environ", complete_environment(tls_files, tmp_path_factory.mktemp("secrets")))
        return load(AppSettings)


def complete_environment(tls: dict[str, str], folder: Path) -> dict[str, str]:
    secrets = {
        "DATABASE_PASSWORD": "database pw",
        "REDIS_PASSWORD": "redis pw",
        "SECRET_KEY": "k" * 32,
        "PROVIDERS": "[]",
        "TOKEN_KEYS": TOKEN_KEYS,
    }
    for name, secret in secrets.items():
        (folder / name).write_text(f"{secret}\n")
    return {
        **tls,
        **{f"{name}_FILE": str(folder / name) for name in secrets},
        "ENVIRONMENT": "unit",
        "DATABASE_HOST": "127.0.0.1",
        "DATABASE_PORT": "1",
        "DATABASE_NAME": "dashtam",
        "DATABASE_USER": "dashtam_user",
        "REDIS_HOST": "127.0.0.1",
        "REDIS_PORT": "1",
        "REDIS_USER": "dashtam_user",
        "OAUTH_REDIRECT_URI": "https://127.0.0.1:8182",
        "PUBLIC_URL": "https://app:8000",
    }


@pytest.fixture
def set_environment(monkeypatch: pytest.MonkeyPatch) -> Callable[[dict[str, str]], None]:
    """Replace the whole environment."""

    def replace(environment: dict[str, str]) -> None:
        monkeypatch.setattr("os.environ", environment)

    return replace


@pytest.fixture
def answer_requests(monkeypatch: pytest.MonkeyPatch) -> Callable[[Handler], None]:
    """Answer every request that an asynchronous client makes, in place of the network."""

    def install(handler: Handler) -> None:
        mock = httpx2.MockTransport(handler)

        async def handle(_transport: httpx2.AsyncHTTPTransport, request: httpx2.Request) -> httpx2.Response:
            return await mock.handle_async_request(request)

        monkeypatch.setattr(httpx2.AsyncHTTPTransport, "handle_async_request", handle)

    return install


@pytest.fixture
def restored_logging() -> Iterator[None]:
    """Undo what a test configured."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    for name in ("app", "httpx2", "alembic", "watchfiles", "uvicorn.access"):
        logging.getLogger(name).setLevel(logging.NOTSET)
        logging.getLogger(name).filters.clear()
    structlog.reset_defaults()


@pytest.fixture
def refusing_port() -> Iterator[int]:
    """A port that refuses connections, and that nothing else gets meanwhile: it is bound, and nothing listens."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]
