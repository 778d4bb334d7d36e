"""Gives every connection's tokens a new key, while the app runs.

The new key is committed before anything is sealed under it, and a key is deleted only when nothing is sealed under it
any more; so at any moment each row can be read by every process, which fetches keys that it doesn't know. A row that
can't be read keeps its key, so that it prevents no other from getting a new one.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass

import structlog
from sqlalchemy import delete, exists, select, text
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from app.core.errors import ServiceError
from app.core.models import ProviderConnection, TokenKey
from app.tokens.keys import DataKeys, open_tokens, seal_tokens
from app.tokens.vault import UnreadableError

BATCH = 50
"""Rows sealed again in one transaction: few enough to hold no lock for long."""

ONE_AT_A_TIME = text("SELECT pg_try_advisory_xact_lock(hashtextextended('dashtam token key rotation', 0))")
"""Takes the lock of a rotation until the transaction ends; returns whether it was free."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Rotated:
    """What a rotation did."""

    key: str  # the id of the new key
    connections: int  # how many were sealed again
    retired: int  # how many keys were deleted
    unreadable: int  # how many connections can't be read, and keep their key


async def rotate(sessions: async_sessionmaker[AsyncSession], keys: DataKeys) -> Rotated:
    """Give every connection's tokens a new key; `ServiceError` if another rotation is in progress."""
    async with sessions.begin() as alone:  # the lock ends with this transaction, even if the process is killed
        if not await alone.scalar(ONE_AT_A_TIME):
            raise ServiceError("another rotation is under way; wait until it is done")
        async with sessions.begin() as session:
            name = await keys.replace(session)
        moved, unreadable = await _move(sessions, keys, name)
        async with sessions.begin() as session:
            return Rotated(name, moved, await _retire(session, name), unreadable)


async def _move(sessions: async_sessionmaker[AsyncSession], keys: DataKeys, name: str) -> tuple[int, int]:
    # Each row once, in the order of ids; rows sealed from now on have the new key already.
    moved, unreadable, last = 0, 0, uuid.UUID(int=0)
    others = select(ProviderConnection).where(ProviderConnection.key_id != name).order_by(ProviderConnection.id)
    while True:
        async with sessions.begin() as session:
            batch = others.where(ProviderConnection.id > last).limit(BATCH).with_for_update()
            rows = (await session.scalars(batch)).all()
            if not rows:
                return moved, unreadable
            done = sum([await _seal_again(keys, session, row, name) for row in rows])
        moved, unreadable, last = moved + done, unreadable + len(rows) - done, rows[-1].id


async def _seal_again(keys: DataKeys, session: AsyncSession, row: ProviderConnection, name: str) -> bool:
    try:
        tokens = await open_tokens(keys, session, row)
    except UnreadableError as error:
        log.warning("A connection can't be read, and keeps its key", connection=str(row.id), reason=str(error))
        return False
    await seal_tokens(keys, session, row, tokens, name)
    return True


async def _retire(session: AsyncSession, name: str) -> int:
    unused = delete(TokenKey).where(TokenKey.id != name, ~exists().where(ProviderConnection.key_id == TokenKey.id))
    return len((await session.scalars(unused.returning(TokenKey.id))).all())
