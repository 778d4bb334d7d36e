"""A browser that trusts the environment's CA, a fresh tab for each test, and pictures of what it showed."""

from __future__ import annotations

import os
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.async_api import expect

from tests.e2e.browser import chromium, trust
from tests.e2e.pages import Home, Outcome, Sandbox

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Generator

    from playwright.async_api import Browser, Page

    from tests.conftest import Endpoints

    Shoot = Callable[[str], Awaitable[None]]

SCREENSHOTS_VARIABLE = "DASHTAM_SCREENSHOTS"
SCREENSHOTS = Path(__file__).resolve().parents[2] / ".build" / "screenshots"
"""Git ignores it."""

PATIENCE_MILLISECONDS = 15_000
"""How long the browser waits for what must come, on a machine that is busy."""

expect.set_options(timeout=PATIENCE_MILLISECONDS)

FAILED = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Note a failure, so that the tab's fixture can take a picture of it."""
    report = yield
    if call.when == "call":
        item.stash[FAILED] = report.failed
    return report


@pytest.fixture(scope="session")
def screenshots() -> Path:
    """Where pictures go."""
    folder = Path(os.environ.get(SCREENSHOTS_VARIABLE) or SCREENSHOTS)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="session")
async def browser(endpoints: Endpoints, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Browser]:
    """A browser that trusts the environment's CA."""
    home = tmp_path_factory.mktemp("home")
    trust(home, endpoints.ca_file)
    async with chromium(home) as browser:
        yield browser


@pytest.fixture
async def page(browser: Browser, screenshots: Path, request: pytest.FixtureRequest) -> AsyncIterator[Page]:
    """A tab of a browser that was never here before; its pages must keep to their security policy."""
    context = await browser.new_context(viewport={"width": 1024, "height": 768}, locale="en-GB")
    context.set_default_timeout(PATIENCE_MILLISECONDS)
    broken: list[str] = []
    context.on("weberror", lambda error: broken.append(str(error.error)))
    context.on("console", lambda message: broken.append(message.text) if "Security Policy" in message.text else None)
    page = await context.new_page()
    yield page
    if request.node.stash.get(FAILED, False):
        await page.screenshot(path=screenshots / f"failed-{request.node.name}.png", full_page=True)
    await context.close()
    assert broken == []


@pytest.fixture
def shoot(page: Page, screenshots: Path) -> Shoot:
    """Take a picture of the whole page, under a name."""

    async def take(name: str) -> None:
        await page.screenshot(path=screenshots / f"{name}.png", full_page=True)

    return take


@pytest.fixture
def home(page: Page, endpoints: Endpoints) -> Home:
    """The app's page."""
    return Home(page, endpoints.app_url)


@pytest.fixture
def sandbox(page: Page) -> Sandbox:
    """The provider's pages."""
    return Sandbox(page)


@pytest.fixture
def outcome(page: Page) -> Outcome:
    """The page that says what came of it."""
    return Outcome(page)


@pytest.fixture
def name() -> str:
    """Somebody whom the provider has never seen."""
    return f"ada-{uuid.uuid4().hex[:8]}"
