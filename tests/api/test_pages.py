from __future__ import annotations

import re
from typing import TYPE_CHECKING

import httpx2
import pytest

from app.http.middleware import HEADERS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.conftest import Endpoints

HTML = {"Accept": "text/html"}


@pytest.fixture
def browser(endpoints: Endpoints) -> Iterator[httpx2.Client]:
    """A new person's client of the pages, at the origin that they belong to."""
    tls = endpoints.tls()
    with httpx2.Client(base_url=endpoints.app_url, verify=tls, trust_env=False, headers=HTML) as client:
        home = client.get("/", follow_redirects=True)
        client.cookies.clear()
        client.base_url = home.url.copy_with(raw_path=b"/")
        yield client


def test_the_first_page(browser: httpx2.Client) -> None:
    response = browser.get("/")
    assert response.status_code == 200
    assert "Your accounts" in response.text
    assert "<script" not in response.text
    assert {name for name in HEADERS if name not in response.headers} == set()
    assert "form-action 'self'" in response.headers["Content-Security-Policy"]
    cookie = response.headers["Set-Cookie"].lower()
    assert re.match("__host-dashtam-[0-9]+=", cookie)
    assert all(part in cookie for part in ("; path=/", "httponly", "secure", "samesite=lax"))


@pytest.mark.parametrize("name", ["style.css", "icon.svg"])
def test_the_look(browser: httpx2.Client, name: str) -> None:
    assert f"/static/{name}" in browser.get("/").text
    assert browser.get(f"/static/{name}").status_code == 200


def test_pages_are_at_one_origin(browser: httpx2.Client) -> None:
    response = browser.get("/finish?receipt=r", headers={"Host": "127.0.0.9:9"})
    assert response.status_code == 307
    assert response.headers["Location"] == f"{str(browser.base_url).rstrip('/')}/finish?receipt=r"


def test_a_form_of_another_site_is_refused(browser: httpx2.Client) -> None:
    token = re.search(r'name="csrf_token" value="([^"]+)"', browser.get("/").text)
    data = {"csrf_token": token[1] if token else ""}
    response = browser.post("/connect/sandbox", data=data, headers={"Origin": "https://evil.test"})
    assert response.status_code == 403
    assert "This request was refused" in response.text


def test_a_form_without_its_token_is_refused(browser: httpx2.Client) -> None:
    browser.get("/")
    assert browser.post("/connect/sandbox", data={"csrf_token": "x"}).status_code == 403


def test_a_receipt_that_nobody_gave_is_refused(browser: httpx2.Client) -> None:
    browser.get("/")
    response = browser.get("/finish?receipt=made-up")
    assert response.status_code == 400
    assert "This link has ended" in response.text


def test_finishing_without_a_session_is_refused(browser: httpx2.Client) -> None:
    response = browser.get("/finish?receipt=made-up")
    assert response.status_code == 403
    assert "This is not the browser that started" in response.text


def test_the_request_id_comes_back(browser: httpx2.Client) -> None:
    assert browser.get("/", headers={"X-Request-ID": "test-request-1"}).headers["X-Request-ID"] == "test-request-1"
