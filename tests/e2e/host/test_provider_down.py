"""The provider goes down at the moments that matter."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from playwright.async_api import expect

from tests.e2e.interruption import holding
from tests.e2e.pages import link

if TYPE_CHECKING:
    from playwright.async_api import Page

    from tests.e2e.conftest import Shoot
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
    await home.connect()
    # It has not forgotten who logged in.
    await sandbox.asks()
    await sandbox.allow()
    await expect(home.account(name)).to_be_visible()


async def test_at_a_disconnect_the_account_stays_until_it_can_be_revoked(
    home: Home, sandbox: Sandbox, outcome: Outcome, name: str, outage: Outage, shoot: Shoot
) -> None:
    await link(home, sandbox, name)
    await asyncio.to_thread(outage.fail)
    await home.disconnect(name)
    await outcome.says(DOWN)
    await outcome.means(
        "The provider did not answer as it should, so the access is not revoked and the account stays linked."
    )
    await shoot("provider-down-at-disconnect")
    await outcome.go_back()
    await expect(home.account(name)).to_be_visible()


async def test_at_a_disconnect_the_account_can_be_forgotten(
    home: Home, sandbox: Sandbox, outcome: Outcome, name: str, outage: Outage
) -> None:
    await link(home, sandbox, name)
    await asyncio.to_thread(outage.fail)
    await home.disconnect(name)
    await outcome.says(DOWN)
    await outcome.forget()
    await expect(home.notice).to_have_text(
        "Sandbox is disconnected here, but its access is not revoked. Revoke it at Sandbox."
    )
    await expect(home.accounts).to_have_count(0)


async def test_at_a_refresh_the_account_stays(
    home: Home, sandbox: Sandbox, outcome: Outcome, name: str, outage: Outage
) -> None:
    await link(home, sandbox, name)
    await asyncio.to_thread(outage.fail)
    await home.refresh(name)
    await outcome.says(DOWN)
    await outcome.means("The provider did not answer as it should, so the account was not refreshed. It stays linked.")
    await outcome.go_back()
    await expect(home.account(name)).to_be_visible()
