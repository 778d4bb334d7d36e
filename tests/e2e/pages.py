"""The pages that a person meets on the way, found by what they say and not by how they are built."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from playwright.async_api import expect

if TYPE_CHECKING:
    from playwright.async_api import Locator, Page

PROVIDER = "Sandbox"


@dataclass(frozen=True)
class Home:
    """The app's page: providers, and the accounts that are linked.

    Args:
        page: The browser's tab.
        url: The app.
    """

    page: Page
    url: str

    async def open(self) -> None:
        """Go there."""
        await self.page.goto(self.url)
        await self.is_shown()

    async def is_shown(self) -> None:
        """Wait until the browser is there."""
        await expect(self.page.get_by_role("heading", level=1)).to_have_text("Your accounts")

    async def connect(self) -> None:
        """Press Connect."""
        await self.page.get_by_role("button", name=f"Connect {PROVIDER}", exact=True).click()

    @property
    def accounts(self) -> Locator:
        """The linked accounts."""
        return self.page.get_by_role("region", name="Linked accounts").get_by_role("list").get_by_role("listitem")

    def account(self, name: str) -> Locator:
        """One of them."""
        heading = self.page.get_by_role("heading", name=f"{PROVIDER} {name}", exact=True)
        return self.accounts.filter(has=heading)

    @property
    def notice(self) -> Locator:
        """What was just done, told once."""
        return self.page.get_by_role("status")

    async def disconnect(self, name: str) -> None:
        """Press an account's Disconnect, and confirm it."""
        await self.ask_to_disconnect(name)
        await self.page.get_by_role("button", name="Disconnect").click()

    async def ask_to_disconnect(self, name: str) -> None:
        """Press an account's Disconnect, which asks whether it is meant."""
        await self.account(name).get_by_role("link", name="Disconnect").click()
        await expect(self.page.get_by_role("heading", level=1)).to_have_text(f"Disconnect {PROVIDER}?")

    async def refresh(self, name: str) -> None:
        """Press an account's Refresh."""
        await self.account(name).get_by_role("button", name="Refresh").click()


@dataclass(frozen=True)
class Sandbox:
    """The provider's pages.

    Args:
        page: The browser's tab.
    """

    page: Page

    async def is_shown(self) -> None:
        """Wait until the browser is there."""
        await expect(self.page.get_by_role("heading", level=1)).to_have_text("Log in")

    async def log_in(self, name: str) -> None:
        """Log in, up to the question whether to allow the link."""
        await self.page.get_by_role("textbox", name="Name").fill(name)
        await self.page.get_by_role("button", name="Log in").click()
        await self.asks()

    async def asks(self) -> None:
        """Wait until the question whether to allow the link is shown."""
        await expect(self.page.get_by_role("heading", level=1)).to_contain_text("Allow")

    async def use_another_name(self) -> None:
        """Log in as somebody else, where the provider still knows who was here."""
        await self.page.get_by_role("button", name="Use another name").click()
        await self.is_shown()

    async def allow(self) -> None:
        """Allow the link."""
        await self.page.get_by_role("button", name="Allow").click()

    async def deny(self) -> None:
        """Deny the link."""
        await self.page.get_by_role("button", name="Deny").click()


@dataclass(frozen=True)
class Outcome:
    """A page that says what came of it, at the callback or at the app.

    Args:
        page: The browser's tab.
    """

    page: Page

    async def says(self, title: str) -> None:
        """Wait until the page with this title is shown."""
        await expect(self.page.get_by_role("heading", level=1)).to_have_text(title)

    async def means(self, message: str, reason: str = "") -> None:
        """Wait until the page explains it so, with the provider's own words if it gave any."""
        await expect(self.page.get_by_text(message, exact=True)).to_be_visible()
        quotes = self.page.get_by_role("blockquote")
        await expect(quotes).to_have_text([reason] if reason else [])

    async def forget(self) -> None:
        """Let the account be forgotten, and confirm it."""
        await self.page.get_by_role("link", name="Forget the account").click()
        await self.page.get_by_role("button", name="Forget").click()

    async def go_back(self) -> None:
        """Follow the link to the app's page."""
        await self.page.get_by_role("link", name="Back to Dashtam").click()


async def link(home: Home, sandbox: Sandbox, name: str) -> None:
    """Walk the whole way to a linked account.

    Args:
        home: The app's page.
        sandbox: The provider's pages.
        name: Who logs in.
    """
    await home.open()
    await home.connect()
    await sandbox.is_shown()
    await sandbox.log_in(name)
    await sandbox.allow()
    await home.is_shown()
