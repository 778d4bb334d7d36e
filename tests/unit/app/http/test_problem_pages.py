from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from app.http.middleware import HEADERS
from app.http.pages import POLICY
from tests.unit.app.browsing import HTML

if TYPE_CHECKING:
    from fastapi import FastAPI

    from tests.unit.app.browsing import Browser


@pytest.mark.parametrize(
    ("path", "status", "says"),
    [
        ("/nowhere", 404, "There is nothing here"),
        ("/connect/sandbox", 405, "This address works only from a button."),
        ("/teapot", 418, "&lt;script&gt;alert(1)&lt;/script&gt;"),
        ("/broken", 500, "Something went wrong"),
    ],
)
def test_a_browser_gets_a_page(browser: Browser, path: str, status: int, says: str) -> None:
    response = browser.get(path, headers=HTML)
    assert response.status_code == status
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"
    assert says in response.text
    assert "inside" not in response.text
    assert "<script" not in response.text
    assert response.headers["X-Request-ID"] in response.text
    assert {name: response.headers[name] for name in HEADERS} == {**HEADERS, "Content-Security-Policy": POLICY}


@pytest.mark.parametrize(("headers", "debug"), [(HTML, True), (HTML, False), ({}, True)])
def test_an_unexpected_exception_is_shown_on_a_page_in_debug_only(
    browser: Browser, web_app: FastAPI, headers: dict[str, str], debug: bool
) -> None:
    web_app.state.settings = web_app.state.settings.model_copy(update={"debug": debug})
    shown = "<samp>RuntimeError: inside (" in browser.get("/broken", headers=headers).text
    assert shown is (debug and headers == HTML)


@pytest.mark.parametrize(
    ("path", "status", "kind"),
    [
        ("/nowhere", 404, "about:blank"),
        ("/teapot", 418, "about:blank"),
        ("/broken", 500, "about:blank"),
        ("/finish?receipt=r", 403, "urn:dashtam:problem:wrong-session"),
        ("/api/refused", 409, "urn:dashtam:problem:not-refreshable"),
        ("/?after=" + "a" * 513, 422, "about:blank"),
    ],
)
@pytest.mark.parametrize("accept", ["*/*", "application/json"])
def test_a_program_gets_a_problem(browser: Browser, path: str, status: int, kind: str, accept: str) -> None:
    response = browser.get(path, headers={"Accept": accept})
    assert response.status_code == status
    assert response.headers["Content-Type"] == "application/problem+json"
    assert response.json()["type"] == kind
    assert response.headers["X-Request-ID"]


@pytest.mark.parametrize("path", ["/api/refused", "/api/nowhere", "/internal/nowhere", "/static/none", "/health/x"])
def test_paths_for_programs_have_no_pages(browser: Browser, path: str) -> None:
    assert browser.get(path, headers=HTML).headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("headers", [HTML, {}])
def test_keeps_the_headers_of_an_error(browser: Browser, headers: dict[str, str]) -> None:
    assert browser.get("/teapot", headers=headers).headers["Retry-After"] == "1"
    assert browser.post("/teapot", headers=headers).headers["Allow"] == "GET"
