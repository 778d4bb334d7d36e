"""A provider's metadata (RFC 8414, OpenID Connect Discovery 1.0), overridden by the configuration."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import httpx2
import structlog
from pydantic import BaseModel, ValidationError

from app.core.in_flight import InFlight
from app.providers.calls import MAX_ERROR_TEXT, fetch
from app.providers.config import EndpointUrl, ProviderConfig
from app.providers.errors import UnavailableError

LIFETIME = 600.0
"""Seconds for which metadata is taken to hold."""

RETRY = 30.0
"""Seconds for which older metadata is used before the next request to a provider that failed."""

TIMEOUT = 4.0
"""Seconds for a provider to describe itself in full: half of what it has for a whole call."""

log = structlog.get_logger(__name__)


class Metadata(BaseModel):
    """A provider's metadata."""

    issuer: str | None = None
    authorization_endpoint: EndpointUrl
    token_endpoint: EndpointUrl
    revocation_endpoint: EndpointUrl | None = None  # None if tokens can't be revoked
    jwks_uri: EndpointUrl | None = None
    authorization_response_iss_parameter_supported: bool = False


@dataclass
class MetadataSource:
    """Gets a provider's metadata over a client that `connect` makes, and caches it, longer if the provider fails."""

    config: ProviderConfig
    connect: Callable[[], httpx2.AsyncClient]
    _cached: Metadata | None = field(default=None, init=False)
    _valid_until: float = field(default=0.0, init=False)
    _in_flight: InFlight = field(default_factory=InFlight, init=False)

    async def get(self) -> Metadata:
        """Return the metadata, which must be the configured issuer's."""
        if self._cached is not None and time.monotonic() < self._valid_until:
            return self._cached
        return await self._in_flight.join("metadata", self._renew)

    async def _renew(self) -> Metadata:
        lifetime = LIFETIME
        try:
            async with asyncio.timeout(TIMEOUT):
                self._cached = await self._fetch()
        except (UnavailableError, TimeoutError) as error:
            failure = str(error) or f"{self.config.metadata_url} takes more than {TIMEOUT:g} seconds"
            if self._cached is None:
                raise UnavailableError(failure) from None
            log.warning("Older metadata of a provider is used", provider=self.config.name, reason=failure)
            lifetime = RETRY
        self._valid_until = time.monotonic() + lifetime
        return self._cached

    async def _fetch(self) -> Metadata:
        config, found = self.config, {}
        if config.metadata_url:
            async with self.connect() as http:
                found = await fetch(http, config.metadata_url)
            if config.issuer and str(found.get("issuer")).rstrip("/") != config.issuer.rstrip("/"):
                given = repr(found.get("issuer"))[:MAX_ERROR_TEXT]
                raise UnavailableError(f"{config.metadata_url} describes the issuer {given}, not {config.issuer}")
        own = config.model_dump(include=set(Metadata.model_fields), exclude_none=True)
        # A slash at its end is easily lost in a configuration: what the provider writes is compared from here on.
        own |= {"issuer": found["issuer"]} if "issuer" in found and config.issuer else {}
        try:
            return Metadata.model_validate({**found, **own})
        except ValidationError as error:
            missing = ", ".join(str(fault["loc"][0]) for fault in error.errors())
            raise UnavailableError(f"{config.metadata_url} does not give what is needed: {missing}") from None
