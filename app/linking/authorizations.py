"""Authorizations between their start and their end: in Redis, to be taken once, and for a short while.

Keys are digests, and the secrets of a browser are stored nowhere: Redis's memory and its file hold verifiers, nonces
and codes, but neither a state nor a receipt nor a session, without which nobody can continue a flow at the app. Codes
are worth nothing without the client's secret, and for a minute.
"""

from __future__ import annotations

import hashlib
import secrets
from typing import Annotated, Generic, TypeVar

from pydantic import BaseModel, Field
from redis.asyncio import Redis

PENDING_LIFETIME = 600
"""Seconds for a person to log in at the provider."""

RECEIPT_LIFETIME = 60
"""Seconds for the browser to come back from the callback to the app."""

RANDOM_BYTES = 32
"""256 bits; RFC 9700 asks for at least 128 where it is guessable at all."""


class Pending(BaseModel, frozen=True, hide_input_in_errors=True):
    """An authorization that was started; `session` is the digest of the session that started it."""

    provider: str
    owner: str
    session: str
    verifier: Annotated[str, Field(repr=False)]
    nonce: Annotated[str, Field(repr=False)]


class Receipt(BaseModel, frozen=True, hide_input_in_errors=True):
    """An authorization that the provider answered with a code."""

    pending: Pending
    code: Annotated[str, Field(repr=False)]


Item = TypeVar("Item", bound=BaseModel)


class OneTimeStore(Generic[Item]):
    """Stores items for `lifetime` seconds under random names, each to be taken once."""

    def __init__(self, redis: Redis, prefix: str, item: type[Item], lifetime: int) -> None:
        self._redis, self._prefix, self._item, self._lifetime = redis, prefix, item, lifetime

    async def put(self, name: str, item: Item) -> None:
        """Store an item."""
        await self._redis.set(self._key(name), item.model_dump_json(), ex=self._lifetime)

    async def take(self, name: str) -> Item | None:
        """Remove an item and return it; None if there is none, any more or ever."""
        found = await self._redis.getdel(self._key(name))
        return None if found is None else self._item.model_validate_json(found)

    def _key(self, name: str) -> str:
        return f"dashtam:{self._prefix}:{digest(name)}"


def random_name() -> str:
    """Return 256 random bits as URL-safe text."""
    return secrets.token_urlsafe(RANDOM_BYTES)


def digest(text: str) -> str:
    """Return the SHA-256 of a text, in hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()
