"""What a program needs beside the session's cookie."""

from __future__ import annotations

from fastapi import APIRouter, FastAPI
from pydantic import BaseModel

from app.http import openapi
from app.http.csrf import HEADER
from app.http.sessions import SessionDep

router = APIRouter(prefix="/api/v1", tags=["session"])


class SessionInfo(BaseModel):
    """The session.

    Attributes:
        csrf_header: The header that a request which changes something needs.
        csrf_token: Its value.
    """

    csrf_header: str = HEADER
    csrf_token: str


@router.get("/session", openapi_extra=openapi.READS)
async def show_session(session: SessionDep) -> SessionInfo:
    """Show the session's CSRF token; a session begins where there is none."""
    return SessionInfo(csrf_token=session.csrf)


def install(app: FastAPI) -> None:
    """Add the route."""
    app.include_router(router)
