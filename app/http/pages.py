"""Templates and static files of all pages, and the page that shows what happened and what to do.

Everything is escaped, and the policy of the pages allows no script, and no style but the servers' own sheet.
"""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, Response

from app.http.middleware import HEADERS, request_id

POLICY = f"{HEADERS['Content-Security-Policy']}; style-src 'self'; img-src 'self'"
LINK_AGAIN = "Go back to Dashtam and start linking the account again."

_FOLDER = Path(__file__).parent
_TEMPLATES = Environment(
    loader=FileSystemLoader([_FOLDER / "templates", _FOLDER.parent / "linking" / "templates"]),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_TYPES = {"style.css": "text/css", "icon.svg": "image/svg+xml"}
_STATIC = {name: (_FOLDER / "static" / name).read_bytes() for name in _TYPES}


@dataclass(frozen=True)
class Link:
    """Somewhere to go."""

    text: str
    href: str


@dataclass(frozen=True)
class Page:
    """What happened and what to do; `reason`, for developers, is shown in debug only."""

    status: HTTPStatus
    title: str
    message: str
    quote: str = ""
    quoted: str = "The provider"
    reason: str = ""
    advice: str = LINK_AGAIN
    way_out: Link | None = None


def render(page: Page, *, home: str, debug: bool = False) -> Response:
    """Render a page with the request's id; `home` is the address of Dashtam's first page."""
    is_new = not page.quote or page.quote not in page.reason
    reason = page.reason if debug and is_new else ""
    return show("page.html", page.status, page=page, home=home, reference=request_id(), reason=reason)


def show(template: str, status: HTTPStatus = HTTPStatus.OK, *, policy: str = POLICY, **values: object) -> Response:
    """Render a template under a content security policy."""
    html = _TEMPLATES.get_template(template).render(values)
    return HTMLResponse(html, status, {"Content-Security-Policy": policy})


def static(name: str) -> Response:
    """Return one of the static files; 404 if there is none of this name."""
    if name not in _STATIC:
        raise HTTPException(HTTPStatus.NOT_FOUND)
    return Response(_STATIC[name], media_type=_TYPES[name])
