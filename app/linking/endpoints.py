"""Providers and connections, for programs: the session and the CSRF token are those of the page."""

from __future__ import annotations

import uuid
from http import HTTPStatus
from typing import Annotated, cast

from fastapi import APIRouter, Depends, FastAPI, Query, Request
from pydantic import BaseModel

from app.http import metrics, openapi
from app.http.csrf import require_csrf
from app.http.openapi import problems
from app.http.ratelimit import limit
from app.http.sessions import SessionDep
from app.linking.schemas import ConnectionInfo, ConnectionPage, ProviderInfo
from app.linking.service import CURSOR, Linking

MAX_PAGE = 100


class Started(BaseModel):
    """A link that was started.

    Attributes:
        authorization_url: Where the person's browser must go, in the session that started it.
    """

    authorization_url: str


class Disconnected(BaseModel):
    """A connection that was forgotten.

    Attributes:
        revoked: Whether its tokens are revoked; if not, they may be good until the person revokes them at the provider.
    """

    revoked: bool


def linking_of(request: Request) -> Linking:
    """Inject what links accounts."""
    return cast("Linking", request.state.linking)


LinkingDep = Annotated[Linking, Depends(linking_of)]


_PROVED = [Depends(require_csrf)]
_CHANGES = [Depends(limit("change", per_minute=30)), *_PROVED]
_UNREAD = (HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.SERVICE_UNAVAILABLE)
_REFUSED = (*_UNREAD, HTTPStatus.FORBIDDEN, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.TOO_MANY_REQUESTS)

api = APIRouter(prefix="/api/v1", tags=["linking"])


@api.get("/providers")
async def list_providers(linking: LinkingDep) -> list[ProviderInfo]:
    """List the providers that accounts can be linked at."""
    return linking.providers()


@api.post(
    "/providers/{provider}/connections",
    status_code=HTTPStatus.CREATED,
    dependencies=[Depends(limit("start", per_minute=20)), *_PROVED],
    openapi_extra=openapi.CHANGES,
    responses=problems(*_REFUSED, HTTPStatus.NOT_FOUND, HTTPStatus.BAD_GATEWAY),
)
async def start(provider: str, linking: LinkingDep, session: SessionDep) -> Started:
    """Start linking an account; send the person's browser to the address in the answer."""
    url = await linking.start(provider, owner=session.owner, session=session.id)
    metrics.linking("started")
    return Started(authorization_url=url)


@api.get("/connections", openapi_extra=openapi.READS, responses=problems(*_UNREAD))
async def list_connections(
    linking: LinkingDep,
    session: SessionDep,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 50,
    after: Annotated[str | None, Query(pattern=CURSOR, description="The `next` of the page before.")] = None,
) -> ConnectionPage:
    """List the person's connections, youngest first."""
    return await linking.connections(session.owner, limit=limit, after=after)


@api.get(
    "/connections/{connection}",
    openapi_extra=openapi.READS,
    responses=problems(*_UNREAD, HTTPStatus.NOT_FOUND),
)
async def show(connection: uuid.UUID, linking: LinkingDep, session: SessionDep) -> ConnectionInfo:
    """Show a connection."""
    return await linking.connection(session.owner, connection)


@api.post(
    "/connections/{connection}/refresh",
    dependencies=_CHANGES,
    openapi_extra=openapi.CHANGES,
    responses=problems(*_REFUSED, HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT, HTTPStatus.BAD_GATEWAY),
)
async def refresh(connection: uuid.UUID, linking: LinkingDep, session: SessionDep) -> ConnectionInfo:
    """Renew a connection's tokens at the provider."""
    refreshed = await linking.refresh(session.owner, connection)
    metrics.linking("refreshed")
    return refreshed


@api.delete(
    "/connections/{connection}",
    dependencies=_CHANGES,
    openapi_extra=openapi.CHANGES,
    responses=problems(*_REFUSED, HTTPStatus.NOT_FOUND, HTTPStatus.BAD_GATEWAY),
)
async def disconnect(
    connection: uuid.UUID,
    linking: LinkingDep,
    session: SessionDep,
    *,
    forget: Annotated[bool, Query(description="Forget it even if the provider can't be asked to revoke.")] = False,
) -> Disconnected:
    """Revoke a connection's tokens at the provider and forget it."""
    revoked = await linking.disconnect(session.owner, connection, forget=forget)
    metrics.linking("disconnected")
    return Disconnected(revoked=revoked)


def install(app: FastAPI) -> None:
    """Add the routes."""
    app.include_router(api)
