"""The OpenAPI document beside the routes, and the page that shows it.

The page's content security policy allows the page's own scripts and styles, and nothing else.
"""

from __future__ import annotations

import base64
import hashlib
import re
from http import HTTPStatus
from importlib.resources import as_file, files
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse
from fastapi.staticfiles import StaticFiles
from pydantic.json_schema import models_json_schema

from app.core.settings import AppSettings
from app.http.csrf import HEADER
from app.http.middleware import HEADERS
from app.http.problems import Problem, ProblemResponse
from app.http.sessions import cookie_name

READS: dict[str, Any] = {"security": [{"session": []}, {}]}
"""For a route that reads: without a session one begins."""

CHANGES: dict[str, Any] = {"security": [{"session": [], "csrf": []}]}
"""For a route that changes something."""

ASSETS = "/docs/assets"
"""Served from here: a machine may reach no CDN, and nobody else's script is to run on this origin."""

_SCHEMAS = "#/components/schemas/"
_RETRY_AFTER = {
    "description": "Seconds after which to try again.",
    "required": True,
    "schema": {"type": "integer", "minimum": 1},
}
_WITH_RETRY_AFTER = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)


def problems(*statuses: HTTPStatus) -> dict[int | str, dict[str, Any]]:
    """Describe the problems that a route answers with, as FastAPI's `responses`."""
    content = {ProblemResponse.media_type: {"schema": {"$ref": f"{_SCHEMAS}{Problem.__name__}"}}}
    return {
        status.value: {
            "description": status.phrase,
            "content": content,
            **({"headers": {"Retry-After": _RETRY_AFTER}} if status in _WITH_RETRY_AFTER else {}),
        }
        for status in statuses
    }


def install(app: FastAPI, settings: AppSettings) -> None:
    """Complete the document, and serve it as `/docs`."""

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            components = FastAPI.openapi(app).setdefault("components", {})
            _, schemas = models_json_schema([(Problem, "serialization")], ref_template=f"{_SCHEMAS}{{model}}")
            components.setdefault("schemas", {}).update(schemas["$defs"])
            components["securitySchemes"] = _schemes(cookie_name(settings.public_url))
        return FastAPI.openapi(app)

    app.openapi = document  # type: ignore[method-assign] # as FastAPI's own docs say
    with as_file(files("fastapi_swagger") / "resources") as folder:
        app.mount(ASSETS, StaticFiles(directory=folder))
    page = _docs_page(f"{app.title}: API")

    @app.get("/docs", include_in_schema=False)
    async def docs() -> HTMLResponse:
        return page


def _schemes(cookie: str) -> dict[str, Any]:
    session = "A person's session: GET /api/v1/session begins one. A browser sends its own by itself."
    csrf = "The session's token, as GET /api/v1/session returns it."
    return {
        "session": {"type": "apiKey", "in": "cookie", "name": cookie, "description": session},
        "csrf": {"type": "apiKey", "in": "header", "name": HEADER, "description": csrf},
    }


def _docs_page(title: str) -> HTMLResponse:
    page = get_swagger_ui_html(
        openapi_url="/openapi.json",
        title=title,
        swagger_js_url=f"{ASSETS}/swagger-ui-bundle.js",
        swagger_css_url=f"{ASSETS}/swagger-ui.css",
        swagger_favicon_url="data:,",
    )
    html = bytes(page.body).decode().replace("<html>", '<html lang="en">', 1)
    page = HTMLResponse(html.replace("<head>", '<head>\n    <meta charset="utf-8">', 1))
    scripts = re.findall(r"<script>(.*?)</script>", html, re.DOTALL)
    hashes = [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts]
    allowed = " ".join(f"'sha256-{digest}'" for digest in hashes)
    page.headers["Content-Security-Policy"] = (
        f"{HEADERS['Content-Security-Policy']}; connect-src 'self'; script-src 'self' {allowed};"
        " style-src 'self' 'unsafe-inline'; img-src 'self' data:"
    )
    return page
