"""What goes wrong on the way, and what the person is told."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from playwright.async_api import expect

from tests.e2e.interruption import holding
from tests.e2e.pages import link

if TYPE_CHECKING:
    from playwright.async_api import Browser, Page, Request

    from tests.conftest import Endpoints
    from tests.e2e.conftest import Shoot
    from tests.e2e.pages import Home, Outcome, Sandbox

SCRIPT = "<script>document.title = 'taken over'</script>"


def is_authorization(request: Request) -> bool:
    return "code_challenge=" in request.url


def is_finish(request: Request) -> bool:
    return "/finish?receipt=" in request.url


async def started(home: Home, sandbox: Sandbox, page: Page) -> dict[str, str]:
    """Press Connect, and read what the provider's answer must hold."""
    await home.open()
    async with page.expect_request(is_authorization) as asked:
        await home.connect()
    await sandbox.is_shown()
    url = urlsplit((await asked.value).url)
    return {"state": parse_qs(url.query)["state"][0], "iss": f"{url.scheme}://{url.netloc}"}


async def test_a_code_that_the_provider_never_gave(
    home: Home, sandbox: Sandbox, outcome: Outcome, page: Page, endpoints: Endpoints, shoot: Shoot
) -> None:
    answer = await started(home, sandbox, page) | {"code": "made-up"}
    response = await page.goto(f"{endpoints.callback_url}/?{urlencode(answer)}")
    assert response is not None
    assert response.status == HTTPStatus.BAD_GATEWAY
    await outcome.says("The account was not linked")
    await outcome.means(
        "The provider refused the link, though nobody said no.", "invalid_grant: grant request is invalid"
    )
    await shoot("provider-refused")
    await outcome.go_back()
    await expect(home.accounts).to_have_count(0)


ERRORS = [
    ("access_denied", "The account was not linked", "The provider did not allow the link."),
    (
        "temporarily_unavailable",
        "The provider is not available",
        "The provider did not answer as it should, so the account was not linked.",
    ),
    ("invalid_scope", "The account was not linked", "The provider refused the link, though nobody said no."),
]


@pytest.mark.parametrize(("error", "title", "meaning"), ERRORS)
async def test_an_error_is_told_as_what_it_is_and_its_script_is_not_run(
    home: Home,
    sandbox: Sandbox,
    outcome: Outcome,
    page: Page,
    endpoints: Endpoints,
    shoot: Shoot,
    error: str,
    title: str,
    meaning: str,
) -> None:
    answer = await started(home, sandbox, page) | {"error": error, "error_description": SCRIPT}
    await page.goto(f"{endpoints.callback_url}/?{urlencode(answer)}")
    await outcome.says(title)
    await outcome.means(meaning, f"{error}: {SCRIPT}")
    await shoot(f"error-{error}")
    assert "taken over" not in await page.title()


async def test_a_state_that_was_never_given(outcome: Outcome, page: Page, endpoints: Endpoints, shoot: Shoot) -> None:
    await page.goto(f"{endpoints.callback_url}/?{urlencode({'state': 's' * 43, 'code': 'c'})}")
    await outcome.says("This link has ended")
    await shoot("unknown-state")


async def test_the_same_link_twice(home: Home, sandbox: Sandbox, outcome: Outcome, name: str, page: Page) -> None:
    async with page.expect_request(is_finish) as finished:
        await link(home, sandbox, name)
    await page.goto((await finished.value).url)
    await outcome.says("This link has ended")
    await outcome.go_back()
    await expect(home.account(name)).to_be_visible()


async def test_a_link_that_another_browser_finishes(
    home: Home, sandbox: Sandbox, name: str, page: Page, browser: Browser, endpoints: Endpoints
) -> None:
    await home.open()
    await home.connect()
    await sandbox.is_shown()
    await sandbox.log_in(name)
    async with holding(page, "*/finish?*", sandbox.allow()) as held:
        await held.drop()
    async with await browser.new_context() as foreign:
        other = await foreign.new_page()
        await other.goto(endpoints.app_url)
        await other.goto(held.url)
        await expect(other.get_by_role("heading", level=1)).to_have_text("This is not the browser that started")
        await other.goto(endpoints.app_url)
        await expect(other.get_by_text("No account is linked yet.")).to_be_visible()


async def test_a_provider_that_is_down_when_it_is_asked_for_tokens(
    home: Home, sandbox: Sandbox, outcome: Outcome, shoot: Shoot
) -> None:
    await home.open()
    await home.connect()
    await sandbox.is_shown()
    await sandbox.log_in("unavailable")
    await sandbox.allow()
    await outcome.says("The provider is not available")
    await outcome.means("The provider did not answer as it should, so the account was not linked.")
    await shoot("provider-down")
    await outcome.go_back()
    await expect(home.accounts).to_have_count(0)
