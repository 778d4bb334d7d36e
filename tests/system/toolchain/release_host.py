"""A release host on this machine: HTTPS with a CA of its own, answering as the real one does, or badly on purpose."""

from __future__ import annotations

import datetime
import hashlib
import io
import ipaddress
import ssl
import tarfile
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from cli.machine.toolchain import platform_name, read_versions

if TYPE_CHECKING:
    from pathlib import Path

VERSION = read_versions().pulumi
ARCHIVE = f"pulumi-v{VERSION}-{platform_name()}.tar.gz"
ARCHIVE_PATH = f"/v{VERSION}/{ARCHIVE}"
CHECKSUMS_PATH = f"/v{VERSION}/pulumi-{VERSION}-checksums.txt"


@dataclass
class ReleaseHost:
    """What the host serves, and how badly.

    Args:
        archive: The release.
        break_after: Bytes after which the connection is cut, once for each entry.
        trickle: Seconds between the bytes that come, if it is slow.
        missing: Whether it has no such release.
        moved: Whether it sends the client on to another path, as release hosts do.
        ranges: Whether it can go on in the middle of a file.
        requests: Each request's path and Range header.
    """

    archive: bytes
    checksums: str = ""
    break_after: list[int] = field(default_factory=list)
    trickle: float = 0
    missing: bool = False
    moved: bool = False
    ranges: bool = True
    requests: list[tuple[str, str | None]] = field(default_factory=list)
    stopping: threading.Event = field(default_factory=threading.Event)
    url: str = ""
    ca: Path | None = None

    def __post_init__(self) -> None:
        self.checksums = f"{hashlib.sha256(self.archive).hexdigest()}  {ARCHIVE}\n"

    @property
    def archive_requests(self) -> list[str | None]:
        """The Range headers of the requests for the archive."""
        return [header for path, header in self.requests if path.endswith(".tar.gz")]

    def context(self) -> ssl.SSLContext:
        """Return a context that trusts this host's CA and no other."""
        return ssl.create_default_context(cafile=str(self.ca))


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    host: ReleaseHost

    def do_GET(self) -> None:
        host = self.host
        host.requests.append((self.path, self.headers.get("Range")))
        if host.missing:
            self._answer(404, b"Not Found")
        elif self.path == CHECKSUMS_PATH:
            self._answer(200, host.checksums.encode())
        elif self.path == ARCHIVE_PATH and host.moved:
            self.send_response(302)
            self.send_header("Location", f"/elsewhere/{ARCHIVE}")
            self.send_header("Content-Length", "0")
            self.end_headers()
        else:
            self._serve_archive()

    def _serve_archive(self) -> None:
        wanted = self.headers.get("Range")
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and self.host.ranges else 0
        if start >= len(self.host.archive):
            self._answer(416, b"")
            return
        self._answer(206 if start else 200, self.host.archive[start:])

    def _answer(self, status: int, content: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.host.trickle:
            for index in range(len(content)):
                self.wfile.write(content[index : index + 1])
                if self.host.stopping.wait(self.host.trickle):
                    break
        elif self.host.break_after and self.path.endswith(".tar.gz"):
            self.wfile.write(content[: self.host.break_after.pop(0)])
            self.close_connection = True
        else:
            self.wfile.write(content)

    def log_message(self, *_arguments: object) -> None:
        """Keep quiet: the tests look at `requests`."""


class Server(ThreadingHTTPServer):
    daemon_threads = False

    def handle_error(self, *_arguments: object) -> None:
        """Keep quiet: a client that refuses the certificate or gives up is what is tested."""


def make_archive(pulumi: bytes) -> bytes:
    """Pack a release as the real one is packed."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as tar:
        for name in read_versions().programs:
            data = pulumi if name == "pulumi" else b"#!/bin/sh\n"
            info = tarfile.TarInfo(f"pulumi/{name}")
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return content.getvalue()


def make_certificate(folder: Path) -> tuple[Path, Path]:
    """Make a CA and a certificate for 127.0.0.1; return the CA's file and one of certificate and key."""
    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    ca_name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Release host's CA")])
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Release host")])
    now = datetime.datetime.now(datetime.UTC)

    def builder(subject: x509.Name, public: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(ca_name)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(hours=1))
            .not_valid_after(now + datetime.timedelta(hours=1))
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), critical=False)
        )

    ca = (
        builder(ca_name, ca_key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(ca_key, hashes.SHA256())
    )
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    leaf = builder(name, key.public_key()).add_extension(address, critical=False).sign(ca_key, hashes.SHA256())
    ca_file, pair = folder / "ca.pem", folder / "host.pem"
    ca_file.write_bytes(ca.public_bytes(serialization.Encoding.PEM))
    pair.write_bytes(
        leaf.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return ca_file, pair
