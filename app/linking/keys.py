"""The data keys that tokens are sealed under: kept in the database, wrapped, and remembered by each process."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.models import ProviderConnection, TokenKey
from app.vault import MasterKeys, UnreadableError, new_key, seal, unseal

_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended('dashtam token keys', 0))")


@dataclass
class DataKeys:
    """The data keys.

    Args:
        master: What wraps them.
    """

    master: MasterKeys
    _known: dict[str, bytes] = field(default_factory=dict, init=False, repr=False)

    async def current(self, session: AsyncSession) -> str:
        """Return the id of the key to seal with, after making the first if there is none.

        Args:
            session: To the database.

        Returns:
            The id of the youngest key.
        """
        if (found := await self._youngest(session)) is not None:
            return found
        await session.execute(_LOCK)
        return await self._youngest(session) or await self.add(session)

    async def add(self, session: AsyncSession) -> str:
        """Make a new key, which from then on is the current one.

        Args:
            session: To the database.

        Returns:
            Its id.
        """
        name, key = secrets.token_hex(8), new_key()
        master, wrapped = self.master.wrap(key, name)
        session.add(TokenKey(id=name, master=master, wrapped=wrapped))
        await session.flush()
        return name

    async def get(self, session: AsyncSession, name: str) -> bytes:
        """Return a key.

        Args:
            session: To the database.
            name: Its id.

        Returns:
            32 bytes.

        Raises:
            UnreadableError: There is no such key, or it can't be unwrapped.
        """
        if name not in self._known:
            row = await session.get(TokenKey, name)
            if row is None:
                raise UnreadableError(f"there is no data key {name}")
            self._known[name] = self.master.unwrap(row.master, row.wrapped, name)
        return self._known[name]

    async def _youngest(self, session: AsyncSession) -> str | None:
        return await session.scalar(select(TokenKey.id).order_by(TokenKey.created_at.desc(), TokenKey.id).limit(1))


async def seal_tokens(
    keys: DataKeys, session: AsyncSession, row: ProviderConnection, access: str, refresh: str | None
) -> None:
    """Put tokens into a row.

    Args:
        keys: The data keys.
        session: To the database.
        row: The connection; its id must be set.
        access: The access token.
        refresh: The refresh token, if there is one.
    """
    row.key_id = await keys.current(session)
    key = await keys.get(session, row.key_id)
    row.access_token = seal(key, access.encode(), place(row, "access_token"))
    row.refresh_token = None if refresh is None else seal(key, refresh.encode(), place(row, "refresh_token"))


async def open_tokens(keys: DataKeys, session: AsyncSession, row: ProviderConnection) -> tuple[str, str | None]:
    """Read a row's tokens.

    Args:
        keys: The data keys.
        session: To the database.
        row: The connection.

    Returns:
        The access token, and the refresh token if there is one.

    Raises:
        UnreadableError: They were changed, moved, or the key is missing.
    """
    key = await keys.get(session, row.key_id)
    access = unseal(key, row.access_token, place(row, "access_token")).decode()
    if row.refresh_token is None:
        return access, None
    return access, unseal(key, row.refresh_token, place(row, "refresh_token")).decode()


def place(row: ProviderConnection, column: str) -> str:
    """Return what a ciphertext is bound to: its table, row and column."""
    return f"provider_connections/{row.id}/{column}"
