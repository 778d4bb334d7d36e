from __future__ import annotations

import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
from httpx2 import ASGITransport, AsyncClient
from pydantic import SecretStr
from sqlalchemy import text

from app.core.revision import head_revision
from app.main import create_app, opened
from app.run.prepare import prepare
from tests.integration.databases import end_connections

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from sqlalchemy.ext.asyncio import AsyncEngine

    from app.core.settings import AppSettings
    from tests.conftest import Endpoints

OK = {"status": "ok"}
REFUSED = {"status": "failed", "reason": "connection refused"}


@asynccontextmanager
async def serving(settings: AppSettings) -> AsyncIterator[AsyncClient]:
    """The app in this process, with the environment's database and cache."""
    app = create_app(settings, lambda _: opened(settings))
    async with app.router.lifespan_context(app) as state:

        async def with_state(scope, receive, send) -> None:  # type: ignore[no-untyped-def] # noqa: ANN001
            await app({**scope, "state": dict(state or {})}, receive, send)

        async with AsyncClient(transport=ASGITransport(with_state), base_url="https://app") as client:
            yield client


async def test_ready_once_migrated(empty: AppSettings, engine: AsyncEngine) -> None:
    async with serving(empty) as client:
        before = await client.get("/ready")
        await prepare(empty)
        after = await client.get("/ready")
        async with engine.begin() as connection:
            await connection.execute(text("UPDATE alembic_version SET version_num = 'other'"))
        changed = await client.get("/ready")
    reason = "the database is at revision {}, the code needs " + str(head_revision())
    assert before.status_code == changed.status_code == 503
    assert before.json()["checks"]["migrations"] == {"status": "failed", "reason": reason.format("none")}
    assert changed.json()["checks"]["migrations"] == {"status": "failed", "reason": reason.format("other")}
    assert after.status_code == 200
    assert after.json() == {"status": "ready", "checks": {"database": OK, "cache": OK, "migrations": OK}}


@pytest.mark.parametrize(
    ("change", "checks"),
    [
        ({"redis_port": 1}, {"database": OK, "cache": REFUSED, "migrations": OK}),
        ({"database_port": 1}, {"database": REFUSED, "cache": OK, "migrations": REFUSED}),
    ],
)
async def test_names_what_is_down(
    settings: AppSettings, change: dict[str, object], checks: dict[str, dict[str, str]]
) -> None:
    async with serving(settings.model_copy(update=change)) as client:
        response = await client.get("/ready")
    assert response.status_code == 503
    assert response.json() == {"status": "unready", "checks": checks}


async def test_recovers_when_the_database_drops_its_connections(empty: AppSettings, engine: AsyncEngine) -> None:
    await prepare(empty)
    async with serving(empty) as client:
        assert (await client.get("/ready")).status_code == 200
        await end_connections(engine)
        assert (await client.get("/ready")).status_code == 200


async def test_the_database_is_reached_after_a_provider_was(own_settings: AppSettings, endpoints: Endpoints) -> None:
    provider = {
        "name": "other",
        "title": "Other",
        "kind": "oidc",
        "scopes": ["openid"],
        "trust": "environment",
        "issuer": "https://other.example",
        "discovery_url": f"{endpoints.app_url}/openapi.json",
        "client_id": "id",
        "client_secret": "secret",
    }
    settings = own_settings.model_copy(update={"providers": SecretStr(json.dumps([provider]))})
    async with serving(settings) as client:
        session = (await client.get("/api/v1/session")).json()
        headers = {session["csrf_header"]: session["csrf_token"]}
        started = await client.post("/api/v1/providers/other/connections", headers=headers)
        # The document is no provider's, but it was fetched; only now is the first connection to the database made.
        assert started.status_code == 502
        assert "describes the issuer None, not https://other.example" in started.json()["detail"]
        assert (await client.get("/ready")).json()["checks"]["database"] == OK
