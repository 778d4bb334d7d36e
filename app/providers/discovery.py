"""What a provider says of itself (RFC 8414, OpenID Connect Discovery 1.0), and what the configuration says instead."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import httpx2
import structlog
from pydantic import BaseModel, ValidationError

from app.providers.calls import fetch
from app.providers.config import EndpointUrl, ProviderConfig
from app.providers.interface import UnavailableError

LIFETIME = 600.0
"""Seconds for which metadata is taken to hold."""

RETRY = 30.0
"""Seconds for which older metadata is used before the provider that failed is asked again."""

TIMEOUT = 4.0
"""Seconds for a provider to describe itself in full: half of what it has to do anything."""

log = structlog.get_logger(__name__)


class Metadata(BaseModel):
    """A provider's metadata."""

    issuer: str | None = None
    authorization_endpoint: EndpointUrl
    token_endpoint: EndpointUrl
    revocation_endpoint: EndpointUrl | None = None
    jwks_uri: EndpointUrl | None = None
    authorization_response_iss_parameter_supported: bool = False


@dataclass
class MetadataSource:
    """Gets a provider's metadata, and keeps it a while, longer if the provider fails."""

    config: ProviderConfig
    connect: Callable[[], httpx2.AsyncClient]
    _kept: Metadata | None = field(default=None, init=False)
    _holds_until: float = field(default=0.0, init=False)
    _under_way: asyncio.Task[Metadata] | None = field(default=None, init=False)

    async def get(self) -> Metadata:
        """Return the metadata."""
        if self._kept is not None and time.monotonic() < self._holds_until:
            return self._kept
        if self._under_way is None:
            self._under_way = asyncio.create_task(self._renew())
            self._under_way.add_done_callback(self._ended)
        # Whoever gives up waiting leaves it to the others.
        return await asyncio.shield(self._under_way)

    def _ended(self, task: asyncio.Task[Metadata]) -> None:
        self._under_way = None
        if not task.cancelled():
            task.exception()  # nobody may be left to take it

    async def _renew(self) -> Metadata:
        lifetime = LIFETIME
        try:
            async with asyncio.timeout(TIMEOUT):
                self._kept = await self._ask()
        except (UnavailableError, TimeoutError) as error:
            failure = str(error) or f"{self.config.metadata_url} takes more than {TIMEOUT:g} seconds"
            if self._kept is None:
                raise UnavailableError(failure) from None
            log.warning("Older metadata of a provider is used", provider=self.config.name, reason=failure)
            lifetime = RETRY
        self._holds_until = time.monotonic() + lifetime
        return self._kept

    async def _ask(self) -> Metadata:
        config, said = self.config, {}
        if config.metadata_url:
            async with self.connect() as http:
                said = await fetch(http, config.metadata_url)
            if config.issuer and said.get("issuer") != config.issuer:
                raise UnavailableError(f"{config.metadata_url} describes another issuer than {config.issuer}")
        own = config.model_dump(include=set(Metadata.model_fields), exclude_none=True)
        try:
            return Metadata.model_validate({**said, **own})
        except ValidationError as error:
            wanting = ", ".join(str(fault["loc"][0]) for fault in error.errors())
            raise UnavailableError(f"{config.metadata_url} does not give what is needed: {wanting}") from None
