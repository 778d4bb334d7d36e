"""The callback server's process: `python -m app.run.callback [--reload]`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.run import server

if TYPE_CHECKING:
    from app.run.server import Sockets

PORTS = {"CALLBACK_PORT": 8182}
LIBRARIES = (
    "httpx2",
    "jinja2",
    "pydantic_settings",
    "starlette.applications",
    "structlog",
    "uvicorn.protocols.http.httptools_impl",
    "uvloop",
)


async def main(sockets: Sockets) -> None:
    """Serve. The app need not be up: without it a page shows that it is down."""
    # Imported here: a reloading parent needs none of it, and wrong settings are reported before the slow imports.
    from app.core import logs  # noqa: PLC0415
    from app.core.settings import CallbackSettings, load  # noqa: PLC0415

    settings = load(CallbackSettings)
    [port] = server.ports(PORTS)
    logs.configure(debug=settings.debug)

    from app.callback.app import create_callback  # noqa: PLC0415

    await server.serve(create_callback(settings), settings, port, sockets)


if __name__ == "__main__":
    server.start(main, "app.run.callback", PORTS, LIBRARIES)
