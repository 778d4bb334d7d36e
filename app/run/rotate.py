"""Gives every connection's tokens a new key: `python -m app.run.rotate`, while the app runs."""

from __future__ import annotations

from dataclasses import asdict

from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from app.run import command
from app.tokens.keys import DataKeys
from app.tokens.rotation import rotate


async def main(sessions: async_sessionmaker[AsyncSession], keys: DataKeys) -> dict[str, object]:
    """Rotate; see `Rotated` for the answer."""
    return asdict(await rotate(sessions, keys))


if __name__ == "__main__":
    command.run(main, "The keys were not rotated")
