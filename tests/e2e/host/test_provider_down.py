"""The provider goes down at the moments that matter."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from playwright.async_api import expect

from tests.e2e.interruption import holding
from tests.e2e.pages import link

if TYPE_CHECKING:
    from playwright.async_api import Page

    from tests.e2e.host.conftest import Outage
    from tests.e2e.pages import Home, Outcome, Sandbox

DOWN = "The provider is not available"


async def test_between_the_consent_and_the_link(
    home: Home, sandbox: Sandbox, outcome: Outcome, name: str, page: Page, outage: Outage
) -> None:
    await home.open()
    await home.connect()
    await sandbox.is_shown()
    await sandbox.log_in(name)
    async with holding(page, "*/finish?*", sandbox.allow()) as held:
        await asyncio.to_thread(outage.fail)
        await held.go_on()
    await outcome.says(DOWN)
    await outcome.go_back()
    await expect(home.accounts).to_have_count(0)
    await asyncio.to_thread(outage.recover)
    await link(home, sandbox, name)
    await expect(home.account(name)).to_be_visible()


async def test_at_a_disconnect_the_account_stays_until_it_can_be_revoked(
    home: Home, sandbox: Sandbox, outcome: Outcome, name: str, outage: Outage
) -> None:
    await link(home, sandbox, name)
    await asyncio.to_thread(outage.fail)
    await home.disconnect(name)
    await outcome.says(DOWN)
    await outcome.go_back()
    await expect(home.account(name)).to_be_visible()
