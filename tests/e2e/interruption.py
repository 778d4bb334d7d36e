"""Holds a request of the browser back, also one that a redirect leads to, which Playwright's own routes don't see."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from playwright.async_api import CDPSession, Page

PATIENCE = 15
"""Seconds until the browser must have come so far."""


@dataclass(frozen=True)
class Held:
    """The request, once the browser is about to make it.

    Args:
        devtools: The browser's own protocol.
        paused: What it says of the request.
    """

    devtools: CDPSession
    paused: asyncio.Future[dict[str, Any]]

    async def url(self) -> str:
        """Wait for the request, and return its address."""
        async with asyncio.timeout(PATIENCE):
            return str((await self.paused)["request"]["url"])

    async def go_on(self) -> None:
        """Let the request go."""
        await self.devtools.send("Fetch.continueRequest", {"requestId": (await self.paused)["requestId"]})


@asynccontextmanager
async def holding(page: Page, pattern: str) -> AsyncIterator[Held]:
    """Hold back the first request to an address; it is dropped at the end if it is still held.

    Args:
        page: The tab that will make it.
        pattern: The address, with `*` for anything.

    Yields:
        The request that is to come.
    """
    devtools = await page.context.new_cdp_session(page)
    held = Held(devtools, asyncio.get_running_loop().create_future())
    devtools.once("Fetch.requestPaused", lambda paused: held.paused.set_result(paused))  # noqa: PLW0108 - not a builtin
    await devtools.send("Fetch.enable", {"patterns": [{"urlPattern": pattern}]})
    try:
        yield held
    finally:
        await devtools.detach()
