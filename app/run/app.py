"""The app's process: `python -m app.run.app [--reload]`."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING

from app.run import server

if TYPE_CHECKING:
    from app.run.server import Sockets

PORTS = {"APP_PORT": 8000, "INTERNAL_PORT": 9000}
"""The second is never published."""

LIBRARIES = (
    "asyncpg",
    "authlib.integrations.httpx_client",
    "cryptography.hazmat.primitives.ciphers.aead",
    "fastapi",
    "itsdangerous",
    "jinja2",
    "joserfc.jwt",
    "prometheus_client",
    "pydantic_settings",
    "redis.asyncio",
    "sqlalchemy.ext.asyncio",
    "sqlalchemy.orm",
    "structlog",
    "uvicorn.protocols.http.httptools_impl",
    "uvloop",
)


async def main(sockets: Sockets) -> None:
    """Prepare, then serve both apps."""
    # Imported here: a reloading parent needs none of it, and wrong settings are reported before the slow imports.
    from app.core import logs  # noqa: PLC0415
    from app.core.settings import AppSettings, load  # noqa: PLC0415

    settings = load(AppSettings)
    port, internal_port = server.ports(PORTS)
    logs.configure(debug=settings.debug)

    from app.main import create_app, create_internal, opened  # noqa: PLC0415
    from app.run.prepare import prepare  # noqa: PLC0415

    await prepare(settings)
    public, internal = (sockets[:1], sockets[1:]) if sockets else (None, None)
    async with opened(settings) as state:
        apps = create_app(settings, lambda _: nullcontext(state)), create_internal(lambda _: nullcontext(state))
        async with server.serve_internal(apps[1], settings, internal_port, internal):
            await server.serve(apps[0], settings, port, public)


if __name__ == "__main__":
    server.start(main, "app.run.app", PORTS, LIBRARIES)
