"""Puts together what links accounts, from the settings."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from sqlalchemy.ext.asyncio import AsyncEngine, async_sessionmaker

from app.linking.connections import Connections
from app.linking.refresher import refreshing
from app.linking.service import Linking
from app.providers import config, registry
from app.tokens.keys import DataKeys
from app.tokens.vault import MasterKeys

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from app.core.settings import AppSettings


@asynccontextmanager
async def linking_for(
    settings: AppSettings, engine: AsyncEngine, cache: Redis, environment: ssl.SSLContext
) -> AsyncIterator[Linking]:
    """Link accounts, and refresh them, for as long as the context lasts."""
    providers = registry.make(
        config.parse(settings.providers.get_secret_value()),
        redirect_uri=str(settings.oauth_redirect_uri).rstrip("/"),
        environment=environment,
        public=ssl.create_default_context(),
    )
    keys = DataKeys(MasterKeys.parse(settings.token_keys.get_secret_value()))
    connections = Connections(async_sessionmaker(engine, expire_on_commit=False), keys)
    async with refreshing(connections, providers):
        yield Linking(providers, connections, cache, settings.public_url)
