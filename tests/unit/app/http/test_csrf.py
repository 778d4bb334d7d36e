from __future__ import annotations

from typing import TYPE_CHECKING
from unittest.mock import AsyncMock, Mock

import pytest
from fastapi import HTTPException, Request

from app.http.csrf import require_csrf
from tests.unit.app.browsing import HTML, PUBLIC

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.unit.app.browsing import Browser

OTHER = "https://127.0.0.1:8000"


def test_reading_needs_no_proof(browser: Browser) -> None:
    assert browser.get("/api/guarded", headers={"Origin": "https://evil.test"}).status_code == 200


@pytest.mark.parametrize("method", ["POST", "DELETE"])
@pytest.mark.parametrize("origin", [{}, {"Origin": PUBLIC}])
def test_the_header_is_proof(browser: Browser, method: str, origin: dict[str, str]) -> None:
    token = browser.get("/api/session").json()["csrf"]
    response = browser.request(method, "/api/guarded", headers={"X-CSRF-Token": token, **origin})
    assert response.status_code == 200


def test_the_form_is_proof(browser: Browser) -> None:
    assert browser.post("/api/guarded", data={"csrf_token": browser.csrf()}).status_code == 200


def test_another_name_of_this_server_is_this_server(new_browser: Callable[[str], Browser]) -> None:
    browser = new_browser(OTHER)
    token = browser.get("/api/session").json()["csrf"]
    headers = {"X-CSRF-Token": token, "Origin": OTHER}
    assert browser.post("/api/guarded", headers=headers).status_code == 200


def test_another_person_s_token_is_none(new_browser: Callable[[], Browser]) -> None:
    token, victim = new_browser().csrf(), new_browser()
    victim.get("/")
    assert victim.post("/api/guarded", data={"csrf_token": token}).status_code == 403


@pytest.mark.parametrize(
    ("path", "headers", "way_out"),
    [
        ("/api/guarded", {}, "Send X-CSRF-Token, as GET /api/v1/session returns it."),
        ("/connect/sandbox", HTML, "Load the page again, then try again."),
    ],
)
def test_the_way_out_is_a_program_s_or_a_person_s(
    browser: Browser, path: str, headers: dict[str, str], way_out: str
) -> None:
    response = browser.post(path, headers=headers)
    assert response.status_code == 403
    assert way_out in response.text


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("csrf_token=" + "x" * 5000, 400),
        ("&".join(f"a{n}=1" for n in range(20)), 400),
        ("%%%=&&&", 403),
        ("csrf_token", 403),
        ("", 403),
        ("csrf_token=" + "x" * 70_000, 413),
    ],
    ids=["long value", "many fields", "no form", "no value", "nothing", "too large"],
)
def test_an_odd_body_is_refused(browser: Browser, body: str, status: int) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    assert browser.post("/api/guarded", content=body, headers=headers).status_code == status


async def test_a_form_that_is_broken_off_is_no_fault_of_the_service() -> None:
    scope = {
        "type": "http",
        "method": "POST",
        "scheme": "https",
        "server": ("localhost", 8000),
        "path": "/",
        "query_string": b"",
        "headers": [(b"content-type", b"application/x-www-form-urlencoded")],
        "app": Mock(),
    }
    receive = AsyncMock(
        side_effect=[{"type": "http.request", "body": b"csrf_to", "more_body": True}, {"type": "http.disconnect"}]
    )
    with pytest.raises(HTTPException) as raised:
        await require_csrf(Request(scope, receive), Mock())
    assert raised.value.status_code == 400


def test_a_program_gets_a_problem(browser: Browser) -> None:
    response = browser.post("/api/guarded", headers={"Origin": "https://evil.test"})
    assert response.status_code == 403
    assert response.json()["detail"] == "The request came from another site."
