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
from typing import TYPE_CHECKING

import uvicorn

from app.core.errors import ServiceError
from app.run import debugger

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence

    from starlette.types import ASGIApp

    from app.core.settings import Settings

    Sockets = list[socket.socket] | None
    Main = Callable[[Sockets], Coroutine[object, object, None]]

HOST = os.environ.get("LISTEN_ADDRESS", "0.0.0.0")  # noqa: S104 - inside a container; the engine publishes elsewhere
DRAIN = 10
"""Seconds for requests in flight when the server is told to stop; below the containers' grace period."""

log = logging.getLogger(__name__)


def start(main: Main, module: str, ports: Sequence[int], libraries: Sequence[str]) -> None:
    """Run the process of `python -m <module>`; with --reload, restart it whenever the source changes, see `reload`.

    `main` takes sockets that listen already on the ports, or None.
    """
    parser = argparse.ArgumentParser(prog=f"python -m {module}")
    parser.add_argument("--reload", action="store_true", help="start again whenever the source changes")
    if not parser.parse_args().reload:
        run(main, None)
        return
    from app.run.reload import reload  # noqa: PLC0415 - watchfiles is installed in development only

    # This process listens, so that no connection is refused during a restart.
    sockets = [socket.create_server((HOST, port)) for port in ports]
    sys.exit(reload(functools.partial(run, main), sockets, libraries))


def run(main: Main, sockets: Sockets) -> None:
    """Run a server's process; it exits with 0 when told to stop, with one line and 1 when it cannot start."""
    import uvloop  # noqa: PLC0415 - the reloading parent needs none

    if sockets:  # a reloader's process
        debugger.listen()
    # uvicorn raises the signal again once it has stopped; before that, it ends a wait at once.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(main(sockets))
    except ServiceError as error:
        log.critical(str(error))
        # Under a reloader: it cannot start whatever the source says.
        sys.exit(os.EX_UNAVAILABLE if sockets else 1)


async def serve(app: ASGIApp, settings: Settings, port: int, sockets: Sockets) -> None:
    """Serve until told to stop, on the port or on sockets that listen already."""
    await uvicorn.Server(_config(app, settings, port, 1 if sockets else DRAIN)).serve(sockets)


@contextlib.asynccontextmanager
async def beside(app: ASGIApp, settings: Settings, port: int, sockets: Sockets) -> AsyncIterator[None]:
    """Serve a second app in the same process, as long as the context lasts."""
    server = _Beside(_config(app, settings, port, 1))
    task = asyncio.create_task(server.serve(sockets))
    try:
        yield
    finally:
        server.should_exit = True
        await task


class _Beside(uvicorn.Server):
    """A server that leaves the signals to the main one."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _config(app: ASGIApp, settings: Settings, port: int, drain: int) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        host=HOST,
        port=port,
        log_config=None,
        proxy_headers=False,
        server_header=False,
        ssl_certfile=settings.tls_certificate_file,
        ssl_keyfile=settings.tls_key_file,
        timeout_graceful_shutdown=drain,
    )
