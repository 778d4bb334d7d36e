"""The API's docs, as a developer tries it out there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playwright.async_api import expect

if TYPE_CHECKING:
    from playwright.async_api import Page

    from tests.conftest import Endpoints
    from tests.e2e.conftest import Shoot

OPERATION = "#operations-linking-start_api_v1_providers__provider__connections_post"


async def test_a_change_can_be_tried_out(page: Page, endpoints: Endpoints, shoot: Shoot) -> None:
    session = await page.goto(f"{endpoints.app_url}/api/v1/session")
    assert session is not None
    token = (await session.json())["csrf_token"]
    await page.goto(f"{endpoints.app_url}/docs")
    await page.get_by_role("button", name="Authorize", exact=True).click()
    dialog = page.locator(".auth-container", has_text="X-CSRF-Token")
    await dialog.get_by_role("textbox").fill(token)
    await dialog.get_by_role("button", name="Apply credentials").click()
    await dialog.get_by_role("button", name="Close").click()
    operation = page.locator(OPERATION)
    await operation.locator(".opblock-summary-control").click()
    await operation.get_by_role("button", name="Try it out").click()
    await operation.get_by_placeholder("provider").fill("sandbox")
    await operation.get_by_role("button", name="Execute").click()
    await expect(operation.locator(".live-responses-table .response-col_status").last).to_contain_text("201")
    await shoot("docs")
