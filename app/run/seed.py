"""Puts sample data into the database, once: `python -m app.run.seed`, while the app runs.

Existing rows are not changed, so that it can be run again and again.
"""

from __future__ import annotations

import uuid

from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from app.core.models import ConnectionStatus, ProviderConnection
from app.run import command
from app.tokens.keys import DataKeys, seal_tokens

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
    """Add the samples that aren't there, in one transaction; return how many."""
    added = 0
    async with sessions.begin() as session:
        key = await keys.current(session)
        for person in PEOPLE:
            for account, status in ACCOUNTS:
                row = _connection(person, account, status)
                if await session.get(ProviderConnection, row.id) is None:
                    # No provider knows these tokens. They have no end, so that none is refreshed.
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


async def main(sessions: async_sessionmaker[AsyncSession], keys: DataKeys) -> dict[str, object]:
    """Add the samples; see `add`."""
    return {"connections": await add(sessions, keys)}


if __name__ == "__main__":
    command.run(main, "The samples were not added")
