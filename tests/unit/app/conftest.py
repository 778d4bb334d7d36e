"""HTTPS servers and settings for tests of the service."""

from __future__ import annotations

import contextlib
import logging
import socket
import ssl
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING

import httpx2
import pytest
import structlog

from app.core.settings import AppSettings, load
from tests.app_environment import app_environment, complete_environment, tls_environment, tls_files
from tests.certificates import authority, new_authority
from tests.serving import serving
from tests.unit.app.browsing import browser, built_app, cache, flow, new_browser, web_app

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    Handler = (
        Callable[[httpx2.Request], httpx2.Response] | Callable[[httpx2.Request], Coroutine[None, None, httpx2.Response]]
    )

__all__ = [
    "app_environment",
    "authority",
    "browser",
    "built_app",
    "cache",
    "flow",
    "new_authority",
    "new_browser",
    "tls_environment",
    "tls_files",
    "web_app",
]


@pytest.fixture
def https_server() -> Callable[[Path, int], AbstractContextManager[int]]:
    """Serve one status over HTTPS; gives the port."""

    @contextlib.contextmanager
    def serve(certificate: Path, status: int = 200) -> Iterator[int]:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server = HTTPServer(("127.0.0.1", 0), _handler(status))
        server.socket = context.wrap_socket(server.socket, server_side=True)
        with serving(server):
            yield server.server_port

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
def app_settings(tls_files: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> AppSettings:
    """Settings of an app whose database and cache refuse connections."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("os.environ", complete_environment(tls_files, tmp_path_factory.mktemp("secrets")))
        return load(AppSettings)


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
