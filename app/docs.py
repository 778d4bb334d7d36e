"""The API docs page, under a content security policy that allows what it needs and nothing else."""

from __future__ import annotations

import base64
import hashlib
import re
from typing import TYPE_CHECKING

from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse

if TYPE_CHECKING:
    from fastapi import FastAPI

_CDN = "https://cdn.jsdelivr.net"


def install(app: FastAPI) -> None:
    """Serve `/docs`.

    Args:
        app: The app that is documented.
    """
    page = get_swagger_ui_html(openapi_url="/openapi.json", title=f"{app.title}: API", swagger_favicon_url="data:,")
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
        f"script-src {_CDN} {allowed}; style-src {_CDN} 'unsafe-inline'; img-src 'self' data:"
    )
