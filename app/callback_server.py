"""The callback server's process: `python -m app.callback_server [--reload]`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app import serving

if TYPE_CHECKING:
    from app.serving import Sockets

PORT = 8182
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
    """Serve. The app need not be up: without it the pages say so.

    Args:
        sockets: Sockets that listen already.
    """
    # Imported late: a reloading parent needs none of it, and wrong settings are told before the slow imports.
    from app import logs  # noqa: PLC0415
    from app.settings import CallbackSettings, load  # noqa: PLC0415

    settings = load(CallbackSettings)
    logs.configure(debug=settings.debug)

    from app.callback import create_callback  # noqa: PLC0415

    await serving.serve(create_callback(settings), settings, PORT, sockets)


def run(sockets: Sockets = None) -> None:
    """Run the callback's process.

    Args:
        sockets: Sockets that listen already.
    """
    serving.run(main, sockets)


if __name__ == "__main__":
    if serving.arguments("app.callback_server"):
        serving.reload(run, (PORT,), LIBRARIES)
    else:
        run()
