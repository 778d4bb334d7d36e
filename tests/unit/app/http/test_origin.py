from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.unit.app.browsing import HTML, PUBLIC

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.unit.app.browsing import Browser, FakeFlow

    NewBrowser = Callable[[str], Browser]


@pytest.mark.parametrize("other", ["https://127.0.0.1:8000", "https://app:8001", "https://app", "https://evil.test"])
@pytest.mark.parametrize("path", ["/", "/?after=x", "/finish?receipt=r", "/connections/x/disconnect"])
def test_pages_are_at_one_origin(new_browser: NewBrowser, flow: FakeFlow, other: str, path: str) -> None:
    response = new_browser(other).get(path, headers=HTML)
    assert (response.status_code, response.headers["Location"]) == (307, PUBLIC + path)
    assert "Set-Cookie" not in response.headers
    assert response.headers["X-Request-ID"]
    assert flow.calls == []


@pytest.mark.parametrize(
    ("path", "status"), [("/api/session", 200), ("/static/style.css", 200), ("/openapi.json", 200), ("/nowhere", 404)]
)
def test_the_rest_answers_under_any_name(new_browser: NewBrowser, path: str, status: int) -> None:
    assert new_browser("https://127.0.0.1:8000").get(path).status_code == status


def test_the_name_is_not_case_sensitive(new_browser: NewBrowser) -> None:
    assert new_browser(PUBLIC).get("/", headers={"Host": "APP:8000"}).status_code == 200


def test_a_request_without_a_host_is_sent_on(new_browser: NewBrowser) -> None:
    assert new_browser(PUBLIC).get("/", headers={"Host": ""}).status_code == 307
