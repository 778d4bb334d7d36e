"""The flow as a person walks it: by clicks, in a browser."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

import pytest
from playwright.async_api import expect

from tests.e2e.pages import link

if TYPE_CHECKING:
    from playwright.async_api import Page

    from tests.conftest import Endpoints
    from tests.e2e.conftest import Shoot
    from tests.e2e.pages import Home, Outcome, Sandbox

SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")


async def test_an_account_is_linked(
    home: Home, sandbox: Sandbox, name: str, shoot: Shoot, page: Page, endpoints: Endpoints
) -> None:
    await home.open()
    await expect(home.accounts).to_have_count(0)
    await shoot("home-empty")
    await home.connect()
    await sandbox.is_shown()
    await shoot("sandbox-login")
    await sandbox.log_in(name)
    await shoot("sandbox-consent")
    await sandbox.allow()
    await home.is_shown()
    # Neither a code nor a receipt stays in the address bar.
    assert page.url == f"{endpoints.app_url}/"
    await expect(home.notice).to_have_text("Sandbox is linked.")
    await expect(home.accounts).to_have_count(1)
    await expect(home.account(name).get_by_text("Active", exact=True)).to_be_visible()
    await shoot("home-linked")


async def test_an_account_is_linked_by_a_form_that_the_browser_posts(
    home: Home, sandbox: Sandbox, page: Page, endpoints: Endpoints
) -> None:
    posts: list[str] = []
    page.on("request", lambda request: posts.append(request.url) if request.method == "POST" else None)
    await link(home, sandbox, "form-post")
    await expect(home.account("form-post")).to_be_visible()
    # The callback's answer to a form leads on to the app, which gets its cookie though the form came from elsewhere.
    assert urlsplit(posts[-1]).port == urlsplit(endpoints.callback_url).port


async def test_a_notice_is_told_once_and_the_account_stays(home: Home, sandbox: Sandbox, name: str, page: Page) -> None:
    await link(home, sandbox, name)
    await page.reload()
    await expect(home.notice).to_be_empty()
    await expect(home.account(name)).to_be_visible()


@pytest.mark.parametrize("logged_in", [False, True])
async def test_a_denial_is_told_and_links_nothing(
    home: Home, sandbox: Sandbox, outcome: Outcome, name: str, shoot: Shoot, *, logged_in: bool
) -> None:
    await home.open()
    await home.connect()
    await sandbox.is_shown()
    if logged_in:
        await sandbox.log_in(name)
    await sandbox.deny()
    await outcome.says("The account was not linked")
    await outcome.means("The provider did not allow the link.", "access_denied: The person denied the request")
    await shoot("denied")
    await outcome.go_back()
    await home.is_shown()
    await expect(home.accounts).to_have_count(0)


async def test_an_account_is_disconnected(home: Home, sandbox: Sandbox, name: str, shoot: Shoot) -> None:
    await link(home, sandbox, name)
    await home.disconnect(name)
    await expect(home.notice).to_have_text("Sandbox is disconnected, and its access is revoked.")
    await expect(home.accounts).to_have_count(0)
    await shoot("home-disconnected")


async def test_a_disconnect_can_be_thought_over(
    home: Home, sandbox: Sandbox, name: str, page: Page, shoot: Shoot
) -> None:
    await link(home, sandbox, name)
    await home.ask_to_disconnect(name)
    await expect(page.get_by_text(f"Account {name}", exact=True)).to_be_visible()
    await shoot("disconnect")
    await page.get_by_role("link", name="Keep it linked").click()
    await expect(home.account(name)).to_be_visible()


async def test_an_account_is_refreshed(home: Home, sandbox: Sandbox, name: str) -> None:
    await link(home, sandbox, name)
    await home.refresh(name)
    await expect(home.notice).to_have_text("Sandbox is refreshed.")
    await expect(home.account(name).get_by_text("Active", exact=True)).to_be_visible()


async def test_two_accounts_stand_side_by_side(home: Home, sandbox: Sandbox, name: str) -> None:
    await link(home, sandbox, name)
    await home.connect()
    await sandbox.use_another_name()
    await sandbox.log_in(f"{name}-too")
    await sandbox.allow()
    await home.is_shown()
    await expect(home.accounts).to_have_count(2)
    await home.disconnect(f"{name}-too")
    await expect(home.accounts).to_have_count(1)
    await expect(home.account(name)).to_be_visible()


async def test_another_browser_sees_nothing_of_it(
    home: Home, sandbox: Sandbox, name: str, page: Page, endpoints: Endpoints
) -> None:
    await link(home, sandbox, name)
    await page.context.clear_cookies()
    await page.goto(endpoints.app_url)
    await home.is_shown()
    await expect(home.accounts).to_have_count(0)


async def test_the_page_fits_every_window(home: Home, sandbox: Sandbox, name: str, page: Page, shoot: Shoot) -> None:
    await link(home, sandbox, name)
    for width in (320, 768, 1440):
        await page.set_viewport_size({"width": width, "height": 800})
        assert await page.evaluate("document.documentElement.scrollWidth") == width
        for scheme in SCHEMES:
            await page.emulate_media(color_scheme=scheme)
            await shoot(f"home-{width}-{scheme}")
