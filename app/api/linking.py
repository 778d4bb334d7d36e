"""Providers and connections, for programs: the session and the CSRF token are those of the page."""

from __future__ import annotations

import uuid
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, Any, cast

from fastapi import APIRouter, Depends, FastAPI, Query, Request, Response
from pydantic import BaseModel

from app import metrics
from app.csrf import require_csrf
from app.linking.models import ConnectionInfo, ConnectionPage, ProviderInfo
from app.linking.service import CURSOR, Linking
from app.problems import Problem, ProblemResponse
from app.ratelimit import limit
from app.sessions import SessionDep

if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_PAGE = 100


class Started(BaseModel):
    """A link that was started.

    Attributes:
        authorization_url: Where the person's browser must go, in the session that started it.
    """

    authorization_url: str


def linking_of(request: Request) -> Linking:
    """Inject what links accounts.

    Args:
        request: The request.

    Returns:
        The app's one instance.
    """
    return cast("Linking", request.state.linking)


LinkingDep = Annotated[Linking, Depends(linking_of)]


def problems(*statuses: HTTPStatus) -> dict[int | str, dict[str, Any]]:
    """Describe the problems that a route answers with, for OpenAPI.

    Args:
        statuses: Their statuses.

    Returns:
        Responses by status.
    """
    content = {ProblemResponse.media_type: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {status.value: {"description": status.phrase, "model": Problem, "content": content} for status in statuses}


_CHANGES: Sequence[Any] = (Depends(require_csrf),)
_REFUSED = (HTTPStatus.FORBIDDEN, HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.SERVICE_UNAVAILABLE)

api = APIRouter(prefix="/api/v1", tags=["linking"])


@api.get("/providers")
async def list_providers(linking: LinkingDep) -> list[ProviderInfo]:
    """List the providers that accounts can be linked at."""
    return linking.providers()


@api.post(
    "/providers/{provider}/connections",
    status_code=HTTPStatus.CREATED,
    dependencies=[Depends(limit("start", per_minute=20)), *_CHANGES],
    responses=problems(*_REFUSED, HTTPStatus.NOT_FOUND, HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.BAD_GATEWAY),
)
async def start(provider: str, linking: LinkingDep, session: SessionDep) -> Started:
    """Start linking an account; send the person's browser to the address in the answer."""
    url = await linking.start(provider, owner=session.owner, session=session.id)
    metrics.linking("started")
    return Started(authorization_url=url)


@api.get("/connections", responses=problems(HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.SERVICE_UNAVAILABLE))
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
    responses=problems(HTTPStatus.NOT_FOUND, HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.SERVICE_UNAVAILABLE),
)
async def show(connection: uuid.UUID, linking: LinkingDep, session: SessionDep) -> ConnectionInfo:
    """Show a connection."""
    return await linking.connection(session.owner, connection)


@api.post(
    "/connections/{connection}/refresh",
    dependencies=_CHANGES,
    responses=problems(*_REFUSED, HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT, HTTPStatus.BAD_GATEWAY),
)
async def refresh(connection: uuid.UUID, linking: LinkingDep, session: SessionDep) -> ConnectionInfo:
    """Renew a connection's tokens at the provider."""
    refreshed = await linking.refresh(session.owner, connection)
    metrics.linking("refreshed")
    return refreshed


@api.delete(
    "/connections/{connection}",
    status_code=HTTPStatus.NO_CONTENT,
    dependencies=_CHANGES,
    responses=problems(*_REFUSED, HTTPStatus.NOT_FOUND, HTTPStatus.BAD_GATEWAY),
)
async def disconnect(connection: uuid.UUID, linking: LinkingDep, session: SessionDep) -> Response:
    """Revoke a connection's tokens at the provider and forget it."""
    await linking.disconnect(session.owner, connection)
    metrics.linking("disconnected")
    return Response(status_code=HTTPStatus.NO_CONTENT)


def install(app: FastAPI) -> None:
    """Add the routes.

    Args:
        app: The app.
    """
    app.include_router(api)
