"""Gives every connection's tokens a new key: `python -m app.run.rotate`, while the app runs."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from app.run import command
from app.tokens.rotation import rotate

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

    from app.tokens.keys import DataKeys


async def main(sessions: async_sessionmaker[AsyncSession], keys: DataKeys) -> dict[str, object]:
    """Rotate; see `Rotated` for the answer."""
    return asdict(await rotate(sessions, keys))


if __name__ == "__main__":
    command.run(main, "The keys were not rotated")
