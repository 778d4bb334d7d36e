"""The app's pages around a flow and a cache that stand in for the real ones."""

from __future__ import annotations

import contextlib
import datetime
import re
import uuid
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, cast

import pytest
from fakeredis import FakeAsyncRedis
from fastapi import APIRouter, Depends, FastAPI, HTTPException
from starlette.testclient import TestClient

from app.http.csrf import require_csrf
from app.http.ratelimit import limit
from app.http.sessions import SessionDep
from app.linking.errors import LinkingError, NotRefreshableError
from app.linking.schemas import ConnectionInfo, ConnectionPage, ProviderInfo
from app.main import State, create_app

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import httpx2

    from app.core.settings import AppSettings

PUBLIC = "https://app:8000"
HTML = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
SCRIPT = "<script>alert(1)</script>"


def connection(**changes: object) -> ConnectionInfo:
    # Not once for all tests: the last of them may run an hour after the first.
    now = datetime.datetime.now(datetime.UTC)
    values: dict[str, object] = {
        "id": uuid.uuid4(),
        "provider": "sandbox",
        "title": "Sandbox",
        "subject": "alice",
        "status": "active",
        "scopes": ["openid"],
        "created_at": now,
        "updated_at": now,
        "expires_at": now + datetime.timedelta(hours=1, minutes=30),
    }
    return ConnectionInfo.model_validate(values | changes)


@dataclass
class FakeFlow:
    """Remembers what it was asked, answers as told."""

    offered: list[ProviderInfo] = field(default_factory=lambda: [ProviderInfo(name="sandbox", title="Sandbox")])
    page: ConnectionPage = field(default_factory=lambda: ConnectionPage(items=[]))
    url: str = "https://provider.test/auth?client_id=dashtam&state=s"
    error: Exception | None = None
    revokes: bool = True
    calls: list[tuple[Any, ...]] = field(default_factory=list)

    def _record(self, *call: object) -> None:
        self.calls.append(call)
        if self.error is not None:
            raise self.error

    def providers(self) -> list[ProviderInfo]:
        return self.offered

    async def start(self, provider: str, *, owner: uuid.UUID, session: str) -> str:
        self._record("start", provider, owner, session)
        return self.url

    async def finish(self, receipt: str, *, session: str) -> ConnectionInfo:
        self._record("finish", receipt, session)
        return connection()

    async def connections(self, owner: uuid.UUID, *, limit: int = 50, after: str | None = None) -> ConnectionPage:
        self._record("connections", owner, limit, after)
        return self.page

    async def refresh(self, owner: uuid.UUID, connection_id: uuid.UUID, /) -> ConnectionInfo:
        self._record("refresh", owner, connection_id)
        return connection(id=connection_id)

    async def connection(self, owner: uuid.UUID, connection_id: uuid.UUID, /) -> ConnectionInfo:
        self._record("connection", owner, connection_id)
        return connection(id=connection_id)

    async def disconnect(self, owner: uuid.UUID, connection_id: uuid.UUID, /, *, forget: bool = False) -> bool:
        self._record("disconnect", owner, connection_id, forget)
        return self.revokes

    def asked(self, *kinds: str) -> list[tuple[Any, ...]]:
        return [call for call in self.calls if call[0] in kinds]


def refusal(kind: str, status: int, detail: str) -> LinkingError:
    """Return a refusal of any kind."""
    attributes = {"kind": kind, "status": HTTPStatus(status), "title": "A title"}
    made: LinkingError = type("Refusal", (LinkingError,), attributes)(detail)
    return made


@pytest.fixture
def flow() -> FakeFlow:
    return FakeFlow()


@pytest.fixture
def cache() -> FakeAsyncRedis:
    return FakeAsyncRedis()


@pytest.fixture(scope="session")
def built_app(app_settings: AppSettings) -> FastAPI:
    """The app, which takes 30 ms to make; `web_app` sets what a test has of its own."""
    app = create_app(app_settings, lambda app: contextlib.nullcontext(app.state.parts))
    app.include_router(extra_routes())
    return app


@pytest.fixture
def web_app(built_app: FastAPI, app_settings: AppSettings, flow: FakeFlow, cache: FakeAsyncRedis) -> FastAPI:
    built_app.state.settings = app_settings
    built_app.state.parts = cast("State", {"linking": flow, "cache": cache})
    return built_app


async def _done() -> str:
    return "done"


def extra_routes() -> APIRouter:
    """Routes as the API has them."""
    extra = APIRouter()

    @extra.get("/api/session")
    async def session(session: SessionDep) -> dict[str, str]:
        return {"id": session.id, "owner": str(session.owner), "csrf": session.csrf}

    for method in ("GET", "POST", "DELETE"):
        extra.add_api_route("/api/guarded", _done, methods=[method], dependencies=[Depends(require_csrf)], name=method)
    extra.add_api_route("/api/limited", _done, dependencies=[Depends(limit("test", per_minute=3))])

    @extra.get("/api/refused")
    async def refused() -> None:
        raise NotRefreshableError("Connect again.")

    @extra.get("/broken")
    async def broken() -> None:
        raise RuntimeError("inside")

    @extra.get("/teapot")
    async def teapot() -> None:
        raise HTTPException(418, SCRIPT, {"Retry-After": "1"})

    return extra


class Browser(TestClient):
    """A client that asks for pages, and follows no redirect by itself."""

    def csrf(self) -> str:
        match = re.search(r'name="csrf_token" value="([^"]+)"', self.get("/", headers=HTML).text)
        assert match
        return match[1]

    def press(self, path: str, **fields: str) -> httpx2.Response:
        """Send a form as the home page does."""
        data = {"csrf_token": self.csrf(), **fields}
        return self.post(path, data=data, headers={**HTML, "Origin": PUBLIC})


@pytest.fixture
def new_browser(web_app: FastAPI) -> Iterator[Callable[[], Browser]]:
    """Browsers of different people."""
    with contextlib.ExitStack() as stack:

        def make(base_url: str = PUBLIC) -> Browser:
            return stack.enter_context(
                Browser(web_app, base_url=base_url, raise_server_exceptions=False, follow_redirects=False)
            )

        yield make


@pytest.fixture
def browser(new_browser: Callable[[], Browser]) -> Browser:
    return new_browser()
