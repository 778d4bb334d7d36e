"""Protection against requests that another site makes with a person's cookie."""

from __future__ import annotations

import hmac
from http import HTTPStatus

from fastapi import HTTPException, Request
from starlette.requests import ClientDisconnect

from app.http.problems import wants_page
from app.http.sessions import SessionDep

FIELD = "csrf_token"
HEADER = "X-CSRF-Token"
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


async def require_csrf(request: Request, session: SessionDep) -> None:
    """Let a request that changes something pass only if a page of ours made it; a dependency."""
    if request.method in SAFE:
        return
    if not _from_here(request):
        raise HTTPException(HTTPStatus.FORBIDDEN, "The request came from another site.")
    # A new session's token was never given to anybody, but is not worth a special case.
    if not hmac.compare_digest((await _token(request)).encode(), session.csrf.encode()):
        program = f"Send {HEADER}, as GET /api/v1/session returns it."
        advice = "Load the page again, then try again." if wants_page(request) else program
        raise HTTPException(HTTPStatus.FORBIDDEN, f"The request doesn't belong to your session. {advice}")


def _from_here(request: Request) -> bool:
    # Browsers send it with each such request, and "null" for a page that hides its origin.
    origin = request.headers.get("Origin")
    here = request.url
    return origin in {None, request.app.state.settings.public_url, f"{here.scheme}://{here.netloc}"}


async def _token(request: Request) -> str:
    if (header := request.headers.get(HEADER)) is not None:
        return header
    if not request.headers.get("Content-Type", "").startswith("application/x-www-form-urlencoded"):
        return ""
    try:
        values = (await request.form(max_fields=10, max_part_size=1024)).getlist(FIELD)
    except ClientDisconnect:
        # The client is gone; it is not a fault of the service.
        raise HTTPException(HTTPStatus.BAD_REQUEST, "The request was interrupted.") from None
    return values[0] if len(values) == 1 and isinstance(values[0], str) else ""
