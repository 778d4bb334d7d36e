"""The API docs page, under a content security policy that allows what it needs and nothing else."""

from __future__ import annotations

import base64
import hashlib
import re
from importlib.resources import as_file, files
from typing import TYPE_CHECKING

from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse
from fastapi.staticfiles import StaticFiles

if TYPE_CHECKING:
    from fastapi import FastAPI

ASSETS = "/docs/assets"
"""Served from here: a machine may reach no CDN, and nobody else's script is to run on this origin."""


def install(app: FastAPI) -> None:
    """Serve `/docs`."""
    with as_file(files("fastapi_swagger") / "resources") as folder:
        app.mount(ASSETS, StaticFiles(directory=folder))
    page = get_swagger_ui_html(
        openapi_url="/openapi.json",
        title=f"{app.title}: API",
        swagger_js_url=f"{ASSETS}/swagger-ui-bundle.js",
        swagger_css_url=f"{ASSETS}/swagger-ui.css",
        swagger_favicon_url="data:,",
    )
    page.headers["Content-Security-Policy"] = _policy(bytes(page.body).decode())

    @app.get("/docs", include_in_schema=False)
    async def docs() -> HTMLResponse:
        return page


def _policy(page: str) -> str:
    scripts = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    hashes = [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts]
    allowed = " ".join(f"'sha256-{digest}'" for digest in hashes)
    return (
        f"default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; connect-src 'self'; "
        f"script-src 'self' {allowed}; style-src 'self' 'unsafe-inline'; img-src 'self' data:"
    )
