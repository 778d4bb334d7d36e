"""Serves an app over HTTPS with uvicorn, once or with reload; shared by both servers."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import functools
import logging
import os
import signal
import socket
import sys
from typing import TYPE_CHECKING, Any

import uvicorn

from app.core.errors import MigrationError, ServiceError, described
from app.run import debugger

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping, Sequence
    from types import FrameType

    from starlette.types import ASGIApp, Receive, Scope, Send

    from app.core.settings import Settings
    from app.http.drain import Drain

    Sockets = list[socket.socket] | None
    Main = Callable[[Sockets], Coroutine[object, object, None]]

HOST = "0.0.0.0"  # noqa: S104 - inside a container; the engine publishes where the config says
LOOPBACK = "127.0.0.1"
INTERNAL = "INTERNAL_PORT"
"""The variable of the port that is never published."""

HIGHEST_PORT = 65535
GRACE = 10
"""Seconds for requests in flight when the server ends; with the drain below the containers' grace period."""

CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"
"""Of TLS 1.2: authenticated encryption with forward secrecy alone (RFC 9325, section 4.2). TLS 1.3 has no other."""

log = logging.getLogger(__name__)


def start(main: Main, module: str, defaults: Mapping[str, int], libraries: Sequence[str]) -> None:
    """Run the process of `python -m <module>`; with --reload, restart it whenever the source changes, see `reload`.

    `defaults` are those of `ports`; `main` takes sockets that listen already on these, or None.
    """
    parser = argparse.ArgumentParser(prog=f"python -m {module}")
    parser.add_argument("--reload", action="store_true", help="start again whenever the source changes")
    if not parser.parse_args().reload:
        run(main, None)
        return
    from app.run.reload import reload  # noqa: PLC0415 - watchfiles is installed in development only

    # This process listens, so that no connection is refused during a restart.
    try:
        pairs = zip(defaults, ports(defaults), strict=True)
        sockets = [_listening(_host(internal=name == INTERNAL), port) for name, port in pairs]
    except ServiceError as error:
        sys.exit(str(error))
    sys.exit(reload(functools.partial(run, main), sockets, libraries))


def ports(defaults: Mapping[str, int]) -> list[int]:
    """Return the ports to listen on, by variable and default: outside a container another program may have one."""
    return [_port(name, os.environ.get(name) or str(default)) for name, default in defaults.items()]


def _port(name: str, text: str) -> int:
    if not (text.isascii() and text.isdecimal() and int(text) <= HIGHEST_PORT):
        raise ServiceError(f"{name}={text}: not a port")
    return int(text)


def _host(*, internal: bool) -> str:
    """Return where to listen; outside a container, what is not for others only on this computer's loopback."""
    chosen = os.environ.get("LISTEN_ADDRESS")
    if not chosen:
        return HOST
    return LOOPBACK if internal else chosen


def _listening(host: str, port: int) -> socket.socket:
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        raise ServiceError(f"Can't listen on {host} port {port}: {error.strerror or error}") from error


def run(main: Main, sockets: Sockets) -> None:
    """Run a server's process; it exits with 0 when told to stop, with one line and 1 when it cannot start.

    Under a reloader it answers with the fault of a source that can't run, until an edit ends it.
    """
    import uvloop  # noqa: PLC0415 - the reloading parent needs none

    if sockets:  # a reloader's process
        debugger.listen()
    # Until the server handles it, it ends a wait at once.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.get_loop().set_exception_handler(report)
            runner.run(main(sockets))
    except MigrationError as error:
        log.critical(text := str(error))
        if not sockets:
            sys.exit(1)
    except ServiceError as error:
        log.critical(str(error))
        # Under a reloader: it cannot start whatever the source says.
        sys.exit(os.EX_UNAVAILABLE if sockets else 1)
    except Exception as error:
        if not sockets:
            raise
        fault = f"The source can't run; {_cure(error)}."
        log.critical(fault, exc_info=True)
        text = f"{fault} {described(error)}"
    else:
        return
    asyncio.run(refuse(text, sockets))


def _cure(error: Exception) -> str:
    if isinstance(error, ModuleNotFoundError) and error.name and error.name.partition(".")[0] != "app":
        return f"if {error.name} is of a package in uv.lock, run `./dashtam up ENVIRONMENT`, otherwise edit it"
    return "edit it"


async def refuse(text: str, sockets: list[socket.socket]) -> None:
    """Answer every request with a text until an edit ends this process; a reloader's own, so nobody else reads it."""

    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        headers = [(b"content-type", b"text/plain; charset=utf-8")]
        await send({"type": "http.response.start", "status": 503, "headers": headers})
        await send({"type": "http.response.body", "body": f"{text}\n".encode()})

    config = uvicorn.Config(
        app,
        lifespan="off",
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        # Without the settings, whose source may be the one that can't run.
        ssl_certfile=os.environ["TLS_CERTIFICATE_FILE"],
        ssl_keyfile=os.environ["TLS_KEY_FILE"],
        timeout_graceful_shutdown=1,
    )
    await uvicorn.Server(config).serve(sockets)


def report(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Log unhandled loop errors, except failed name lookups that their caller has abandoned."""
    if not isinstance(context.get("exception"), socket.gaierror):
        loop.default_exception_handler(context)


async def serve(app: ASGIApp, settings: Settings, port: int, sockets: Sockets) -> None:
    """Serve until told to stop, and on for the drain, on the port or on sockets that listen already."""
    from app.http.drain import Drain  # noqa: PLC0415 - a reloading parent needs none of it

    drain = Drain(settings.drain_seconds)
    config = _config(drain.around(app), settings, _host(internal=False), port, 1 if sockets else GRACE)
    await _Draining(config, drain, settings.edge_port).serve(sockets)


@contextlib.asynccontextmanager
async def serve_internal(app: ASGIApp, settings: Settings, port: int, sockets: Sockets) -> AsyncIterator[None]:
    """Serve a second app, which is not for others, in the same process as long as the context lasts."""
    server = _InternalServer(_config(app, settings, _host(internal=True), port, 1))
    task = asyncio.create_task(server.serve(sockets))
    try:
        yield
    finally:
        server.should_exit = True
        await task


class _Draining(uvicorn.Server):
    """A server that SIGTERM makes drain first; a second signal ends it at once."""

    def __init__(self, config: uvicorn.Config, drain: Drain, edge_port: int | None) -> None:
        super().__init__(config)
        self._drain, self._edge_port = drain, edge_port
        self._edge: asyncio.Task[None] | None = None

    async def startup(self, sockets: Sockets = None) -> None:
        await super().startup(sockets)
        if self._edge_port is not None:
            from app.run import proxied  # noqa: PLC0415 - only behind an edge

            listening = _listening(self.config.host, self._edge_port)
            self._edge = asyncio.create_task(proxied.serve(self, listening))

    async def shutdown(self, sockets: Sockets = None) -> None:
        if self._edge is not None:
            self._edge.cancel()
            await asyncio.wait([self._edge])
        await super().shutdown(sockets)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if sig == signal.SIGTERM and not self._drain.begun:
            self._drain.begin()
        else:
            super().handle_exit(sig, frame)

    async def on_tick(self, counter: int) -> bool:
        return await super().on_tick(counter) or self._drain.over


class _InternalServer(uvicorn.Server):
    """A server that leaves the signals to the main one."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _config(app: ASGIApp, settings: Settings, host: str, port: int, drain: int) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        host=host,
        port=port,
        log_config=None,
        proxy_headers=False,
        server_header=False,
        ssl_certfile=settings.tls_certificate_file,
        ssl_keyfile=settings.tls_key_file,
        ssl_ciphers=CIPHERS,
        timeout_graceful_shutdown=drain,
    )
