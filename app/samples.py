"""Puts sample data into the database, once: `python -m app.samples`, while the app runs.

What is there already stays as it is, so that it can be run again and again.
"""

from __future__ import annotations

import asyncio
import json
import sys
import uuid

from sqlalchemy import NullPool
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from app import logs
from app.database import engine_for
from app.errors import ServiceError
from app.linking.keys import DataKeys, seal_tokens
from app.models import ConnectionStatus, ProviderConnection
from app.settings import AppSettings, load
from app.tls import client_context
from app.vault import MasterKeys, UnreadableError

SPACE = uuid.uuid5(uuid.NAMESPACE_DNS, "samples.dashtam.invalid")
"""From which the samples' ids follow: the same ones each time."""

PEOPLE = ("alice", "bob", "carol", "dave")
ACCOUNTS = (
    ("checking", ConnectionStatus.ACTIVE),
    ("savings", ConnectionStatus.EXPIRED),
    ("old", ConnectionStatus.REVOKED),
)
PROVIDER = "sandbox"


async def add(sessions: async_sessionmaker[AsyncSession], keys: DataKeys) -> int:
    """Add the samples that aren't there, in one transaction.

    Args:
        sessions: To the database.
        keys: The data keys.

    Returns:
        How many connections were added.
    """
    added = 0
    async with sessions.begin() as session:
        key = await keys.current(session)
        for person in PEOPLE:
            for account, status in ACCOUNTS:
                row = _connection(person, account, status)
                if await session.get(ProviderConnection, row.id) is None:
                    # No provider knows these tokens. They never end by themselves, so that none is asked.
                    tokens = f"sample-access-{row.subject}", f"sample-refresh-{row.subject}"
                    await seal_tokens(keys, session, row, tokens, key)
                    session.add(row)
                    added += 1
    return added


def _connection(person: str, account: str, status: ConnectionStatus) -> ProviderConnection:
    subject = f"{person}-{account}"
    return ProviderConnection(
        id=uuid.uuid5(SPACE, subject),
        owner=uuid.uuid5(SPACE, person),
        provider=PROVIDER,
        subject=subject,
        status=status,
        scopes=["openid"],
    )


async def main() -> int:
    """Add the samples to the environment that this process runs in.

    Returns:
        How many connections were added.

    Raises:
        ServiceError: The settings are wrong.
        UnreadableError: The data key that seals can't be read.
    """
    settings = load(AppSettings)
    logs.configure(debug=settings.debug)
    engine = engine_for(settings, client_context(settings.tls_ca_file), poolclass=NullPool)
    try:
        master = MasterKeys.parse(settings.token_keys.get_secret_value())
        return await add(async_sessionmaker(engine, expire_on_commit=False), DataKeys(master))
    finally:
        await engine.dispose()


if __name__ == "__main__":
    try:
        print(json.dumps({"connections": asyncio.run(main())}))  # noqa: T201 - the command's answer
    except (ServiceError, UnreadableError) as error:
        sys.exit(f"The samples were not added: {error}")
