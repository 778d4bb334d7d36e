"""The pages' routes: see one's accounts, connect, finish, refresh, disconnect."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, HTTPException, Query, Request
from starlette.responses import RedirectResponse, Response

from app.http import metrics, pages
from app.http.csrf import require_csrf
from app.http.ratelimit import limit
from app.http.sessions import SessionDep
from app.linking.errors import LinkingError
from app.linking.flow import FlowDep
from app.linking.relative_time import moment, standing

if TYPE_CHECKING:
    from app.http.sessions import Session
    from app.linking.flow import Flow
    from app.linking.schemas import ConnectionPage

# The forms go to this origin alone. Chromium applies form-action to each redirect that follows a form, and a provider
# may redirect to origins that nobody told us of, and on to the callback: so a form is answered with a page that goes on
# to the provider by itself, which begins a navigation of its own, rather than with a redirect.
POLICY = pages.POLICY.replace("form-action 'none'", "form-action 'self'")
PER_PAGE = 20
MAX_RECEIPT = 256

router = APIRouter(include_in_schema=False)
_CHANGES = [Depends(limit("change", per_minute=30)), Depends(require_csrf)]


@router.get("/")
async def home(
    request: Request, session: SessionDep, flow: FlowDep, after: Annotated[str | None, Query(max_length=512)] = None
) -> Response:
    """Show the providers and the person's connections."""
    page = await _connections(flow, session, after)
    providers = flow.providers()
    return _with_forms(
        "home.html",
        session,
        environment=request.app.state.environment,
        notices=session.notices(),
        providers=providers,
        offered={provider.name for provider in providers},
        accounts=[(one, standing(one)) for one in page.items],
        after=after,
        next=page.next,
        moment=moment,
    )


@router.post("/connect/{provider}", dependencies=[Depends(limit("start", per_minute=20)), Depends(require_csrf)])
async def connect(provider: str, session: SessionDep, flow: FlowDep) -> Response:
    """Begin to link an account: go to the provider."""
    titles = {known.name: known.title for known in flow.providers()}
    url = await flow.start(provider, owner=session.owner, session=session.id)
    metrics.linking("started")
    return pages.show("leaving.html", home="/", url=url, title=titles.get(provider, provider))


@router.get("/finish", dependencies=[Depends(limit("finish", per_minute=20))])
async def finish(request: Request, session: SessionDep, flow: FlowDep) -> Response:
    """Link the account that the provider sent the person back with."""
    connection = await flow.finish(_receipt(request, is_new=session.is_new), session=session.id)
    metrics.linking("linked")
    session.notify(f"{connection.title} is linked.")
    return _home()


@router.post("/connections/{connection_id}/refresh", dependencies=_CHANGES)
async def refresh(connection_id: UUID, session: SessionDep, flow: FlowDep) -> Response:
    """Get new tokens for a connection."""
    connection = await flow.refresh(session.owner, connection_id)
    metrics.linking("refreshed")
    session.notify(f"{connection.title} is refreshed.")
    return _home()


@router.get("/connections/{connection_id}/disconnect")
async def ask(connection_id: UUID, session: SessionDep, flow: FlowDep, *, forget: bool = False) -> Response:
    """Ask whether a connection is to be disconnected."""
    connection = await flow.connection(session.owner, connection_id)
    return _with_forms("disconnect.html", session, connection=connection, forget=forget)


@router.post("/connections/{connection_id}/disconnect", dependencies=_CHANGES)
async def disconnect(connection_id: UUID, session: SessionDep, flow: FlowDep, *, forget: bool = False) -> Response:
    """Revoke a connection's tokens, and forget it; or forget it only, if the provider can't be asked."""
    title = (await flow.connection(session.owner, connection_id)).title
    if await flow.disconnect(session.owner, connection_id, forget=forget):
        session.notify(f"{title} is disconnected, and its access is revoked.")
    else:
        session.notify(f"{title} is disconnected here, but its access is not revoked. Revoke it at {title}.", "bad")
    metrics.linking("disconnected")
    return _home()


@router.get("/static/{name}")
async def static(name: str) -> Response:
    """Serve the pages' look."""
    return pages.static(name)


async def _connections(flow: Flow, session: Session, after: str | None) -> ConnectionPage:
    try:
        return await flow.connections(session.owner, limit=PER_PAGE, after=after)
    except ValueError as error:
        raise HTTPException(HTTPStatus.BAD_REQUEST) from error


def _with_forms(template: str, session: Session, **values: object) -> Response:
    response = pages.show(template, HTTPStatus.OK, policy=POLICY, home="/", csrf=session.csrf, **values)
    # With "no-referrer" browsers would hide the forms' origin, which is checked.
    response.headers["Referrer-Policy"] = "same-origin"
    return response


def _home() -> Response:
    return RedirectResponse("/", HTTPStatus.SEE_OTHER)


def _receipt(request: Request, *, is_new: bool) -> str:
    if is_new:  # refused before the receipt is spent: what opens links ahead of a person has no session
        detail = "Link the account in the browser that started, and let it accept cookies."
        raise LinkingError("wrong-session", HTTPStatus.FORBIDDEN, "Another session", detail)
    values = request.query_params.getlist("receipt")
    if len(values) != 1 or not 0 < len(values[0]) <= MAX_RECEIPT:
        detail = "The address must give one receipt. Start linking the account again."
        raise LinkingError("unknown-receipt", HTTPStatus.BAD_REQUEST, "Unknown receipt", detail)
    return values[0]
