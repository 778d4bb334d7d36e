"""Holds a request of the browser back, also one that a redirect leads to, which Playwright's own routes don't see."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Coroutine

    from playwright.async_api import CDPSession, Page

TIMEOUT = 15
"""Seconds until the browser must have come so far."""


@dataclass(frozen=True)
class Held:
    """A request that the browser is about to make.

    Args:
        devtools: The browser's own protocol.
        paused: What it says of the request.
    """

    devtools: CDPSession
    paused: dict[str, Any]

    @property
    def url(self) -> str:
        """Its address."""
        return str(self.paused["request"]["url"])

    async def go_on(self) -> None:
        """Let it go."""
        await self.devtools.send("Fetch.continueRequest", {"requestId": self.paused["requestId"]})

    async def drop(self) -> None:
        """Let it fail."""
        await self.devtools.send("Fetch.failRequest", {"requestId": self.paused["requestId"], "errorReason": "Aborted"})


@asynccontextmanager
async def holding(page: Page, pattern: str, step: Coroutine[Any, Any, None]) -> AsyncIterator[Held]:
    """Hold back the first request to an address, to be let go or dropped.

    Args:
        page: The tab that makes it.
        pattern: The address, with `*` for anything.
        step: What leads to it. It may wait for the request's end, so it goes on beside.

    Yields:
        The request.
    """
    devtools = await page.context.new_cdp_session(page)
    arrived: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
    devtools.once("Fetch.requestPaused", lambda paused: arrived.set_result(paused))  # noqa: PLW0108 - it takes no builtin
    await devtools.send("Fetch.enable", {"patterns": [{"urlPattern": pattern}]})
    async with asyncio.TaskGroup() as group:
        group.create_task(step)
        async with asyncio.timeout(TIMEOUT):
            paused = await arrived
        yield Held(devtools, paused)
    await devtools.detach()
