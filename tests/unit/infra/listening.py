"""An engine that answers as a handler says, in plain text or over TLS, and a folder with what its clients need."""

from __future__ import annotations

from contextlib import contextmanager
from http.server import ThreadingHTTPServer
from typing import TYPE_CHECKING

from tests.serving import serving

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator
    from http.server import BaseHTTPRequestHandler
    from pathlib import Path

    from tests.certificates import Authority


@contextmanager
def listening(handler: type[BaseHTTPRequestHandler], context: ssl.SSLContext | None) -> Iterator[str]:
    """Serve an engine, over TLS where a context is given, and give its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    if context:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    with serving(server):
        yield f"tcp://127.0.0.1:{server.server_port}"


def write_client_folder(authority: Authority, folder: Path) -> None:
    """Write the files of a client, as Docker's clients have them."""
    pair = authority.issue("client").read_bytes()
    for name, content in (("ca", authority.ca_file.read_bytes()), ("cert", pair), ("key", pair)):
        (folder / f"{name}.pem").write_bytes(content)
