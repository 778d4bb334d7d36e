"""The data keys that tokens are sealed under: stored in the database, wrapped, and cached by each process."""

from __future__ import annotations

import secrets
import uuid
from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy import func, insert, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.core.models import ProviderConnection, TokenKey
from app.tokens.vault import MasterKeys, UnreadableError, new_key, seal, unseal

_SHARED = text("SELECT pg_advisory_xact_lock_shared(hashtextextended('dashtam token keys', 0))")
_ALONE = text("SELECT pg_advisory_xact_lock(hashtextextended('dashtam token keys', 0))")
_FIRST = text("SELECT pg_advisory_xact_lock(hashtextextended('dashtam first token key', 0))")


@dataclass
class DataKeys:
    """The data keys, wrapped by master keys."""

    master: MasterKeys
    _cached: dict[str, bytes] = field(default_factory=dict, init=False, repr=False)

    async def current(self, session: AsyncSession) -> str:
        """Return the id of the key to seal with, after making the first if there is none.

        It stays the current one until the transaction ends, for `replace` waits for that. So call this before
        locking any row: a transaction that waits for the row may block `replace`.
        """
        await session.execute(_SHARED)
        if (found := await self._youngest(session)) is not None:
            return found
        await session.execute(_FIRST)
        return await self._youngest(session) or await self._add(session)

    async def replace(self, session: AsyncSession) -> str:
        """Make a new key the current one, once nobody is about to seal under the present one.

        `UnreadableError` if the present one can't be unwrapped: then the master keys are wrong for this database.
        """
        await session.execute(_ALONE)
        if (present := await self._youngest(session)) is not None:
            await self.get(session, present)
        return await self._add(session)

    async def get(self, session: AsyncSession, name: str) -> bytes:
        """Return a key, 32 bytes; `UnreadableError` if there is none of this id, or it can't be unwrapped."""
        if name not in self._cached:
            row = await session.get(TokenKey, name)
            if row is None:
                raise UnreadableError(f"there is no data key {name}")
            self._cached[name] = self.master.unwrap(row.master, row.wrapped, name)
        return self._cached[name]

    async def _add(self, session: AsyncSession) -> str:
        name, key = secrets.token_hex(8), new_key()
        master, wrapped = self.master.wrap(key, name)
        # Always the youngest: restored keys may be ahead of this database's clock.
        after_all = select(func.max(TokenKey.created_at) + timedelta(microseconds=1)).scalar_subquery()
        moment = func.greatest(func.clock_timestamp(), after_all)
        await session.execute(insert(TokenKey).values(id=name, master=master, wrapped=wrapped, created_at=moment))
        return name

    async def _youngest(self, session: AsyncSession) -> str | None:
        return await session.scalar(select(TokenKey.id).order_by(TokenKey.created_at.desc(), TokenKey.id).limit(1))


async def seal_tokens(
    keys: DataKeys, session: AsyncSession, row: ProviderConnection, tokens: tuple[str, str | None], key: str
) -> None:
    """Put access and refresh token into a row, whose id must be set, sealed under the key of this id."""
    access, refresh = tokens
    secret = await keys.get(session, key)
    row.key_id = key
    row.access_token = seal(secret, access.encode(), place(row.id, "access_token"))
    row.refresh_token = None if refresh is None else seal(secret, refresh.encode(), place(row.id, "refresh_token"))


async def open_tokens(keys: DataKeys, session: AsyncSession, row: ProviderConnection) -> tuple[str, str | None]:
    """Return a row's access token, and its refresh token if there is one; or raise `UnreadableError`."""
    key = await keys.get(session, row.key_id)
    access = unseal(key, row.access_token, place(row.id, "access_token")).decode()
    if row.refresh_token is None:
        return access, None
    return access, unseal(key, row.refresh_token, place(row.id, "refresh_token")).decode()


def place(connection: uuid.UUID, column: str) -> str:
    """Return the place that a ciphertext is bound to: its table, row and column."""
    return f"provider_connections/{connection}/{column}"
