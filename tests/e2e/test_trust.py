"""The browser verifies the environment, so that the other tests mean something."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Error

from tests.e2e.browser import chromium, trust

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.async_api import Page

    from tests.conftest import Endpoints


async def test_every_server_is_accepted(page: Page, endpoints: Endpoints) -> None:
    for url in (endpoints.app_url, endpoints.callback_url):
        response = await page.goto(f"{url}/health")
        assert response is not None
        assert response.ok
        assert await response.security_details()


async def test_without_the_environments_ca_it_is_refused(endpoints: Endpoints, tmp_path: Path) -> None:
    async with chromium(tmp_path) as browser:
        page = await browser.new_page()
        with pytest.raises(Error, match="ERR_CERT_AUTHORITY_INVALID"):
            await page.goto(f"{endpoints.app_url}/health")


async def test_another_name_is_refused(endpoints: Endpoints, tmp_path: Path) -> None:
    trust(tmp_path, endpoints.ca_file)
    app = urlsplit(endpoints.app_url)
    async with chromium(tmp_path, f"--host-resolver-rules=MAP elsewhere.invalid {app.hostname}") as browser:
        page = await browser.new_page()
        with pytest.raises(Error, match="ERR_CERT_COMMON_NAME_INVALID"):
            await page.goto(f"https://elsewhere.invalid:{app.port}/health")
