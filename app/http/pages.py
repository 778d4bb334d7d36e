"""The look of all pages, and the page that says what happened and what to do.

Everything is escaped, and the policy of the pages allows no script, and no style but the servers' own sheet.
"""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, Response

POLICY = (
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; style-src 'self'; img-src 'self'"
)
AGAIN = "Go back to Dashtam and start linking the account again."

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
    """What happened and what to do."""

    status: HTTPStatus
    title: str
    message: str
    quote: str = ""
    advice: str = AGAIN
    way_out: Link | None = None


def render(page: Page, *, home: str, reference: str = "") -> Response:
    """Make the response."""
    return show("page.html", page.status, page=page, home=home, reference=reference)


def show(template: str, status: HTTPStatus = HTTPStatus.OK, *, policy: str = POLICY, **values: object) -> Response:
    """Fill a template."""
    html = _TEMPLATES.get_template(template).render(values)
    return HTMLResponse(html, status, {"Content-Security-Policy": policy})


def static(name: str) -> Response:
    """Serve a file of the pages' look."""
    if name not in _STATIC:
        raise HTTPException(HTTPStatus.NOT_FOUND)
    return Response(_STATIC[name], media_type=_TYPES[name])
