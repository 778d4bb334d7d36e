"""What a provider says of itself (RFC 8414, OpenID Connect Discovery 1.0), and what the configuration says instead."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import httpx2
from pydantic import BaseModel, ValidationError

from app.providers.config import ProviderConfig
from app.providers.interface import UnavailableError

LIFETIME = 600.0
"""Seconds for which metadata is taken to hold."""


class Metadata(BaseModel):
    """A provider's metadata.

    Attributes:
        issuer: Its identifier; None if it has none.
        authorization_endpoint: Where the browser is sent.
        token_endpoint: Where codes are exchanged.
        revocation_endpoint: Where tokens are revoked; None if they can't be.
        jwks_uri: Where its signing keys are.
        authorization_response_iss_parameter_supported: Whether each authorization response names the issuer (RFC 9207).
    """

    issuer: str | None = None
    authorization_endpoint: str
    token_endpoint: str
    revocation_endpoint: str | None = None
    jwks_uri: str | None = None
    authorization_response_iss_parameter_supported: bool = False


@dataclass
class MetadataSource:
    """Gets a provider's metadata, and keeps it a while.

    Args:
        config: The provider's configuration.
        connect: Makes a client to the provider.
    """

    config: ProviderConfig
    connect: Callable[[], httpx2.AsyncClient]
    _kept: tuple[float, Metadata] | None = field(default=None, init=False)
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)

    async def get(self) -> Metadata:
        """Return the metadata.

        Returns:
            What discovery says, with what the configuration says instead.

        Raises:
            UnavailableError: It can't be had, or isn't the configured issuer's.
        """
        async with self._turn:
            if self._kept is None or time.monotonic() - self._kept[0] > LIFETIME:
                self._kept = (time.monotonic(), await self._ask())
            return self._kept[1]

    async def _ask(self) -> Metadata:
        config, said = self.config, {}
        if config.metadata_url:
            async with self.connect() as http:
                said = await fetch(http, config.metadata_url)
            if config.issuer and said.get("issuer") != config.issuer:
                raise UnavailableError(f"{config.metadata_url} describes another issuer than {config.issuer}")
        own = config.model_dump(
            include={"issuer", "authorization_endpoint", "token_endpoint", "revocation_endpoint", "jwks_uri"},
            exclude_none=True,
        )
        try:
            return Metadata.model_validate({**said, **own})
        except ValidationError as error:
            missing = ", ".join(str(fault["loc"][0]) for fault in error.errors())
            raise UnavailableError(f"{config.metadata_url} lacks what is needed: {missing}") from None


async def fetch(http: httpx2.AsyncClient, url: str) -> dict[str, object]:
    """Get a JSON object.

    Args:
        http: The client.
        url: The address.

    Returns:
        The object.

    Raises:
        UnavailableError: There is none to be had.
    """
    try:
        answer = await http.get(url)
        answer.raise_for_status()
        document = answer.json()
    except httpx2.HTTPStatusError as error:
        raise UnavailableError(f"{url} answers with {error.response.status_code}") from None
    except httpx2.HTTPError as error:
        raise UnavailableError(f"{url} can't be reached: {type(error).__name__}") from None
    except ValueError:
        raise UnavailableError(f"{url} gives no JSON") from None
    if not isinstance(document, dict):
        raise UnavailableError(f"{url} gives no JSON object")
    return document
