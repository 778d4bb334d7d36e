"""The pages: see one's accounts, connect, finish, refresh, disconnect."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request
from starlette.responses import RedirectResponse, Response

from app.http import pages
from app.http.sessions import Kind, Session, SessionDep
from app.linking.account_status import account_status
from app.linking.dependencies import CHANGE, FINISH, START, LinkingDep
from app.linking.errors import UnknownReceiptError, WrongSessionError
from app.linking.relative_time import relative_time
from app.linking.service import CURSOR

# The forms go to this origin alone. Chromium applies form-action to each redirect that follows a form, and a provider
# may redirect to origins that aren't configured, and on to the callback: so a form is answered with a page that leads
# to the provider by itself, which begins a navigation of its own, rather than with a redirect.
POLICY = pages.POLICY.replace("form-action 'none'", "form-action 'self'")
PER_PAGE = 20
MAX_RECEIPT = 256

router = APIRouter(include_in_schema=False)


@router.get("/")
async def home(
    request: Request,
    session: SessionDep,
    linking: LinkingDep,
    after: Annotated[str | None, Query(pattern=CURSOR)] = None,
) -> Response:
    """Show the providers and the person's connections."""
    page = await linking.connections(session.owner, limit=PER_PAGE, after=after)
    providers, now = linking.providers(), datetime.now(UTC)
    return _with_forms(
        "home.html",
        session,
        environment=request.app.state.settings.environment,
        notices=session.notices(),
        providers=providers,
        offered={provider.name for provider in providers},
        accounts=[(one, account_status(one, now)) for one in page.items],
        after=after,
        next=page.next,
        relative_time=partial(relative_time, now=now),
    )


@router.post("/connect/{provider}", dependencies=START)
async def connect(provider: str, session: SessionDep, linking: LinkingDep) -> Response:
    """Begin to link an account: go to the provider."""
    titles = {known.name: known.title for known in linking.providers()}
    url = await linking.start(provider, owner=session.owner, session=session.id)
    return pages.show("leaving.html", home="/", url=url, title=titles.get(provider, provider))


@router.get("/finish", dependencies=FINISH)
async def finish(request: Request, session: SessionDep, linking: LinkingDep) -> Response:
    """Link the account that the provider sent the person back with."""
    if session.is_new:  # refused before the receipt is used: link previews have no session
        raise WrongSessionError("Link the account in the browser that started, and let it accept cookies.")
    receipts = request.query_params.getlist("receipt")
    if len(receipts) != 1 or not 0 < len(receipts[0]) <= MAX_RECEIPT:
        raise UnknownReceiptError("The address must give one receipt. Start linking the account again.")
    connection = await linking.finish(receipts[0], session=session.id)
    return _home(session, f"{connection.title} is linked.")


@router.post("/connections/{connection_id}/refresh", dependencies=CHANGE)
async def refresh(connection_id: UUID, session: SessionDep, linking: LinkingDep) -> Response:
    """Get new tokens for a connection."""
    connection = await linking.refresh(session.owner, connection_id)
    return _home(session, f"{connection.title} is refreshed.")


@router.get("/connections/{connection_id}/disconnect")
async def confirm(connection_id: UUID, session: SessionDep, linking: LinkingDep, *, forget: bool = False) -> Response:
    """Ask whether to disconnect a connection."""
    connection = await linking.connection(session.owner, connection_id)
    return _with_forms("disconnect.html", session, connection=connection, forget=forget)


@router.post("/connections/{connection_id}/disconnect", dependencies=CHANGE)
async def disconnect(
    connection_id: UUID, session: SessionDep, linking: LinkingDep, *, forget: bool = False
) -> Response:
    """Revoke a connection's tokens, and forget it; or forget it only, if the provider is not available."""
    title = (await linking.connection(session.owner, connection_id)).title
    if await linking.disconnect(session.owner, connection_id, forget=forget):
        return _home(session, f"{title} is disconnected, and its access is revoked.")
    notice = f"{title} is disconnected here, but its access is not revoked. Revoke it at {title}."
    return _home(session, notice, "bad")


@router.get("/static/{name}")
async def static(name: str) -> Response:
    """Serve the style sheet and the icon."""
    return pages.static(name)


def _with_forms(template: str, session: Session, **values: object) -> Response:
    response = pages.show(template, HTTPStatus.OK, policy=POLICY, home="/", csrf=session.csrf, **values)
    # With "no-referrer" browsers would hide the forms' origin, which is checked.
    response.headers["Referrer-Policy"] = "same-origin"
    return response


def _home(session: Session, notice: str, kind: Kind = "good") -> Response:
    session.notify(notice, kind)
    return RedirectResponse("/", HTTPStatus.SEE_OTHER)
