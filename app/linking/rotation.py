"""Gives every connection's tokens a new key: `python -m app.linking.rotation`, while the app runs.

The new key is committed before anything is sealed under it, and a key goes only when nothing is sealed under it any
more; so at any moment each row can be read by every process, which fetches keys that it doesn't know.
"""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import asdict, dataclass

from sqlalchemy import NullPool, delete, exists, select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from app import logs
from app.database import engine_for
from app.errors import ServiceError
from app.linking.keys import DataKeys, open_tokens, seal_tokens
from app.models import ProviderConnection, TokenKey
from app.settings import AppSettings, load
from app.tls import client_context
from app.vault import MasterKeys, UnreadableError

BATCH = 50
"""Rows sealed anew in one transaction: few enough to hold no lock for long."""


@dataclass(frozen=True)
class Rotated:
    """What a rotation did.

    Args:
        key: The id of the new key.
        connections: How many connections were sealed anew.
        retired: How many keys went.
    """

    key: str
    connections: int
    retired: int


async def rotate(sessions: async_sessionmaker[AsyncSession], keys: DataKeys) -> Rotated:
    """Give every connection's tokens a new key.

    Args:
        sessions: To the database.
        keys: The data keys.

    Returns:
        What was done.

    Raises:
        UnreadableError: A row's tokens can't be read; those before it have the new key already.
    """
    async with sessions.begin() as session:
        name = await keys.add(session)
    done = 0
    while moved := await _move_batch(sessions, keys, name):
        done += moved
    async with sessions.begin() as session:
        return Rotated(name, done, await _retire(session, name))


async def _move_batch(sessions: async_sessionmaker[AsyncSession], keys: DataKeys, name: str) -> int:
    async with sessions.begin() as session:
        others = select(ProviderConnection).where(ProviderConnection.key_id != name).limit(BATCH).with_for_update()
        rows = (await session.scalars(others)).all()
        for row in rows:
            access, refresh = await open_tokens(keys, session, row)
            await seal_tokens(keys, session, row, access, refresh)
        return len(rows)


async def _retire(session: AsyncSession, name: str) -> int:
    # A key that a link under way is about to be sealed under is locked by it, and stays until the next rotation.
    unused = select(TokenKey.id).where(TokenKey.id != name, ~exists().where(ProviderConnection.key_id == TokenKey.id))
    gone = (await session.scalars(unused.with_for_update(skip_locked=True))).all()
    await session.execute(delete(TokenKey).where(TokenKey.id.in_(gone)))
    return len(gone)


async def main() -> Rotated:
    """Rotate the keys of the environment that this process runs in.

    Returns:
        What was done.

    Raises:
        ServiceError: The settings are wrong.
        UnreadableError: A row's tokens can't be read.
    """
    settings = load(AppSettings)
    logs.configure(debug=settings.debug)
    engine = engine_for(settings, client_context(settings.tls_ca_file), poolclass=NullPool)
    try:
        master = MasterKeys.parse(settings.token_keys.get_secret_value())
        return await rotate(async_sessionmaker(engine, expire_on_commit=False), DataKeys(master))
    finally:
        await engine.dispose()


if __name__ == "__main__":
    try:
        print(json.dumps(asdict(asyncio.run(main()))))  # noqa: T201 - the command's answer
    except (ServiceError, UnreadableError) as error:
        sys.exit(f"The keys were not rotated: {error}")
