"""Asks providers: waits no longer than told, and tells their failures as failures of linking."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from app.linking.errors import InvalidTokenError, ProviderRefusedError, ProviderUnavailableError
from app.providers.interface import InvalidIdTokenError, ProviderError, RefusedError, UnavailableError

PATIENCE = 15.0
"""Seconds for a provider to do all of what it is asked; well below the time that a stopped container is given."""


@contextmanager
def told() -> Iterator[None]:
    """Tell a provider's failure as a failure of linking."""
    try:
        yield
    except InvalidIdTokenError as error:
        raise InvalidTokenError(f"{error}. Start linking the account again.") from error
    except RefusedError as error:
        raise ProviderRefusedError(f"It gave this reason: {error}") from error
    except ProviderError as error:
        raise ProviderUnavailableError(f"{error}. Try again in a while.") from error


@asynccontextmanager
async def asking(title: str, patience: float) -> AsyncIterator[None]:
    """Ask a provider something."""
    with told():
        try:
            async with asyncio.timeout(patience):
                yield
        except TimeoutError:
            raise UnavailableError(f"{title} does not answer in time") from None
