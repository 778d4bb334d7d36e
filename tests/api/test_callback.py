from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from app.http.middleware import HEADERS

if TYPE_CHECKING:
    import httpx2


def test_health(callback: httpx2.Client) -> None:
    response = callback.get("/health")
    assert response.status_code == 200
    assert response.json() == {"status": "ok"}


@pytest.mark.parametrize(
    ("parameters", "says"),
    [
        ({"x": "1"}, "It gives no state."),
        ({"code": "c"}, "It gives no state."),
        ({"state": "s"}, "It must give either a code or an error."),
        ({"state": "s", "code": "c", "error": "e"}, "It must give either a code or an error."),
        ({"error": "invalid_scope", "error_description": "no <such> scope"}, "invalid_scope: no &lt;such&gt; scope"),
        ({"state": ["s", "t"], "code": "c"}, "It gives state more than once."),
        ({"state": "s" * 513, "code": "c"}, "Its state is longer than 512 characters."),
        ({"state": "s", "code": "c", "iss": ["i", "j"]}, "It gives iss more than once."),
        ({"state": "s", "code": "c"}, "This link has ended"),
        ({"state": "s", "code": "c", "iss": "https://evil.test"}, "This link has ended"),
        ({"state": "s", "error": "access_denied"}, "This link has ended"),
        ({"state": "s", "error": "e", "error_description": "<script>x</script>"}, "This link has ended"),
    ],
)
def test_says_what_came_of_a_redirect(
    callback: httpx2.Client, parameters: dict[str, str | list[str]], says: str
) -> None:
    response = callback.get("/", params=parameters)
    assert response.status_code == 400
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"
    assert says in response.text
    assert "<script" not in response.text
    assert "Back to Dashtam" in response.text


def test_its_first_page_leads_to_the_app(callback: httpx2.Client) -> None:
    response = callback.get("/")
    assert response.status_code == 200
    assert "Back to Dashtam" in response.text


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/nowhere", 404), ("PUT", "/", 405)])
def test_other_addresses(callback: httpx2.Client, method: str, path: str, status: int) -> None:
    response = callback.request(method, path)
    assert response.status_code == status
    assert "There is nothing at this address." in response.text


@pytest.mark.parametrize("path", ["/", "/health", "/static/style.css", "/nowhere", "/?state=s&code=c"])
def test_security_headers(callback: httpx2.Client, path: str) -> None:
    headers = callback.get(path).headers
    assert {name for name in HEADERS if name not in headers} == set()
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert "Server" not in headers


def test_the_style_sheet_is_served(callback: httpx2.Client) -> None:
    page = callback.get("/").text
    assert '<link rel="stylesheet" href="/static/style.css">' in page
    assert callback.get("/static/style.css").headers["Content-Type"] == "text/css; charset=utf-8"
