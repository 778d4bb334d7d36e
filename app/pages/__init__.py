"""The pages that a person sees after a provider sent them back.

Everything is escaped, and the policy of the page allows no script and no style but the server's own sheet.
"""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse, Response

POLICY = (
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; style-src 'self'; img-src data:"
)
AGAIN = "Go back to Dashtam and start linking the account again."

_FOLDER = Path(__file__).parent
_TEMPLATES = Environment(loader=FileSystemLoader(_FOLDER), autoescape=True, undefined=StrictUndefined)
_STYLE = (_FOLDER / "style.css").read_text(encoding="utf-8")


@dataclass(frozen=True)
class Page:
    """What happened and what to do.

    Attributes:
        status: HTTP status.
        title: What happened, short.
        message: What happened.
        quote: Words of others, shown as such.
        advice: What to do.
    """

    status: HTTPStatus
    title: str
    message: str
    quote: str = ""
    advice: str = AGAIN


def render(page: Page) -> Response:
    """Make the response.

    Args:
        page: What it says.

    Returns:
        The page.
    """
    html = _TEMPLATES.get_template("page.html").render(
        title=page.title, message=page.message, quote=page.quote, advice=page.advice
    )
    return HTMLResponse(html, page.status, {"Content-Security-Policy": POLICY})


def style() -> Response:
    """Serve the style sheet.

    Returns:
        The sheet.
    """
    return Response(_STYLE, media_type="text/css")
