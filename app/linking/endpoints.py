"""Providers and connections, for programs: the session and the CSRF token are those of the pages."""

from __future__ import annotations

import uuid
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field

from app.http import openapi
from app.http.csrf import HEADER
from app.http.openapi import problems
from app.http.ratelimit import count_failure
from app.http.sessions import SessionDep
from app.linking.dependencies import CHANGE, START, UNKNOWN_STATES_PER_MINUTE, LinkingDep
from app.linking.errors import UnknownStateError
from app.linking.schemas import (
    ConnectionInfo,
    ConnectionPage,
    Disconnected,
    ProviderInfo,
    Received,
    Redirect,
    Started,
)
from app.linking.service import CURSOR

MAX_PAGE = 100

_UNREAD = (HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.SERVICE_UNAVAILABLE)
_REFUSED = (*_UNREAD, HTTPStatus.FORBIDDEN, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.TOO_MANY_REQUESTS)

session_router = APIRouter(prefix="/api/v1", tags=["session"])
router = APIRouter(prefix="/api/v1", tags=["linking"])
internal = APIRouter(prefix="/internal/oauth")


class SessionInfo(BaseModel):
    """The session."""

    csrf_header: str = Field(HEADER, description="The header that a request which changes something needs.")
    csrf_token: str = Field(description="Its value.")


@session_router.get("/session", openapi_extra=openapi.READS)
async def show_session(session: SessionDep) -> SessionInfo:
    """Show the session's CSRF token; a session begins where there is none."""
    return SessionInfo(csrf_token=session.csrf)


@router.get("/providers")
async def list_providers(linking: LinkingDep) -> list[ProviderInfo]:
    """List the providers that accounts can be linked at."""
    return linking.providers()


@router.post(
    "/providers/{provider}/connections",
    status_code=HTTPStatus.CREATED,
    dependencies=START,
    openapi_extra=openapi.CHANGES,
    responses=problems(*_REFUSED, HTTPStatus.NOT_FOUND, HTTPStatus.BAD_GATEWAY),
)
async def start(provider: str, linking: LinkingDep, session: SessionDep) -> Started:
    """Start linking an account; send the person's browser to the address in the answer."""
    return Started(authorization_url=await linking.start(provider, owner=session.owner, session=session.id))


@router.get("/connections", openapi_extra=openapi.READS, responses=problems(*_UNREAD))
async def list_connections(
    linking: LinkingDep,
    session: SessionDep,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 50,
    after: Annotated[str | None, Query(pattern=CURSOR, description="The `next` of the page before.")] = None,
) -> ConnectionPage:
    """List the person's connections, youngest first."""
    return await linking.connections(session.owner, limit=limit, after=after)


@router.get(
    "/connections/{connection}",
    openapi_extra=openapi.READS,
    responses=problems(*_UNREAD, HTTPStatus.NOT_FOUND),
)
async def show(connection: uuid.UUID, linking: LinkingDep, session: SessionDep) -> ConnectionInfo:
    """Show a connection."""
    return await linking.connection(session.owner, connection)


@router.post(
    "/connections/{connection}/refresh",
    dependencies=CHANGE,
    openapi_extra=openapi.CHANGES,
    responses=problems(*_REFUSED, HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT, HTTPStatus.BAD_GATEWAY),
)
async def refresh(connection: uuid.UUID, linking: LinkingDep, session: SessionDep) -> ConnectionInfo:
    """Renew a connection's tokens at the provider."""
    return await linking.refresh(session.owner, connection)


@router.delete(
    "/connections/{connection}",
    dependencies=CHANGE,
    openapi_extra=openapi.CHANGES,
    responses=problems(*_REFUSED, HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT, HTTPStatus.BAD_GATEWAY),
)
async def disconnect(
    connection: uuid.UUID,
    linking: LinkingDep,
    session: SessionDep,
    *,
    forget: Annotated[bool, Query(description="Forget it even if the provider can't be asked to revoke.")] = False,
) -> Disconnected:
    """Revoke a connection's tokens at the provider and forget it."""
    return Disconnected(revoked=await linking.disconnect(session.owner, connection, forget=forget))


@internal.post("/callback")
async def receive(redirect: Redirect, linking: LinkingDep, request: Request) -> Received:
    """Take a provider's answer from the callback server."""
    try:
        return Received(continue_url=await linking.receive(redirect))
    except UnknownStateError:
        # All come from the callback's address: counting the known ones too would let anybody lock everybody out.
        await count_failure(request, "unknown-state", per_minute=UNKNOWN_STATES_PER_MINUTE)
        raise
