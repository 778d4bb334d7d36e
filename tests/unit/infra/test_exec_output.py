"""Nothing that a command writes is lost, whenever it arrives: with the head of the answer, after it, or in between."""

from __future__ import annotations

import ssl
import struct
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING

import pytest
from docker.utils.socket import frames_iter

from cli.engine.streams import cut_off
from infra.engine import client_of
from tests.certificates import authority, new_authority
from tests.unit.infra.listening import listening, write_client_folder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.certificates import Authority

__all__ = ["authority", "new_authority"]

HEAD = b"HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.raw-stream\r\nConnection: Upgrade\r\n\r\n"
PIECES = [b"first\n", b"x" * 20_000, b"last\n"]
FRAMES = b"".join(struct.pack(">BxxxL", 1, len(piece)) + piece for piece in PIECES)
VERSION = b'{"ApiVersion": "1.41"}'
CUTS = [0, 1, 7, 8, 9, 100, 8_000, len(FRAMES)]
"""Bytes of the output that are sent together with the head."""


class Engine(BaseHTTPRequestHandler):
    """An engine on which each command writes the frames."""

    cut = 0
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(VERSION) + VERSION)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.wfile.write(HEAD + FRAMES[: self.cut])
        self.wfile.write(FRAMES[self.cut :])
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Print nothing."""


@pytest.fixture(params=["plain", "TLS"])
def environ(request: pytest.FixtureRequest, authority: Authority, tmp_path: Path) -> Iterator[dict[str, str]]:
    """The variables that name the engine."""
    context, variables = None, {}
    if request.param == "TLS":
        write_client_folder(authority, tmp_path)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(authority.issue())
        variables = {"DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": str(tmp_path)}
    with listening(Engine, context) as host:
        yield {"DOCKER_HOST": host, **variables}


@pytest.mark.parametrize("cut", CUTS)
def test_all_of_it_is_read(environ: dict[str, str], monkeypatch: pytest.MonkeyPatch, cut: int) -> None:
    monkeypatch.setattr(Engine, "cut", cut)
    api = client_of(environ).api
    try:
        assert api.exec_start("command") == b"".join(PIECES)
    finally:
        api.close()


@pytest.mark.parametrize("cut", CUTS)
def test_all_of_it_is_read_as_a_stream(environ: dict[str, str], monkeypatch: pytest.MonkeyPatch, cut: int) -> None:
    monkeypatch.setattr(Engine, "cut", cut)
    api = client_of(environ).api
    try:
        connection = api.exec_start("command", socket=True)
        with cut_off(connection):
            pieces = [piece for _, piece in frames_iter(connection, tty=False)]  # type: ignore[no-untyped-call]
        assert b"".join(pieces) == b"".join(PIECES)
    finally:
        api.close()
