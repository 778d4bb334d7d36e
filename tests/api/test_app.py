from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from app.security import HEADERS

if TYPE_CHECKING:
    import httpx2


def test_health(app: httpx2.Client) -> None:
    response = app.get("/health")
    assert response.status_code == 200
    assert response.json() == {"status": "ok"}


def test_ready(app: httpx2.Client) -> None:
    response = app.get("/ready")
    assert response.status_code == 200
    assert response.json() == {
        "status": "ready",
        "checks": {part: {"status": "ok"} for part in ("database", "cache", "migrations")},
    }


def test_docs(app: httpx2.Client) -> None:
    response = app.get("/docs")
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "swagger-ui" in response.text


def test_openapi(app: httpx2.Client) -> None:
    api = app.get("/openapi.json").json()
    assert api["info"]["title"] == "Dashtam"
    assert {"/health", "/ready"} <= set(api["paths"])


@pytest.mark.parametrize("path", ["/health", "/ready", "/docs", "/openapi.json", "/nowhere"])
def test_security_headers(app: httpx2.Client, path: str) -> None:
    headers = app.get(path).headers
    assert {name for name in HEADERS if name not in headers} == set()
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "Server" not in headers


@pytest.mark.parametrize(
    ("method", "path", "status", "title"),
    [
        ("GET", "/nowhere", 404, "Not Found"),
        ("GET", "/internal/oauth/callback", 405, "Method Not Allowed"),
        ("POST", "/health", 405, "Method Not Allowed"),
        ("DELETE", "/ready", 405, "Method Not Allowed"),
    ],
)
def test_errors_are_problems(app: httpx2.Client, method: str, path: str, status: int, title: str) -> None:
    response = app.request(method, path)
    assert response.status_code == status
    assert response.headers["Content-Type"] == "application/problem+json"
    assert response.json() == {"type": "about:blank", "title": title, "status": status}


@pytest.mark.parametrize("redirect", [{"state": "s", "code": "c"}, {"state": "s", "error": "access_denied"}])
def test_no_authorization_is_pending(app: httpx2.Client, redirect: dict[str, str]) -> None:
    response = app.post("/internal/oauth/callback", json=redirect)
    assert response.status_code == 400
    assert response.json()["title"] == "Unknown state"


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"state": "hush"}', b'{"state": "hush", "code": 1}'])
def test_a_malformed_redirect_is_refused_and_not_repeated(app: httpx2.Client, body: bytes) -> None:
    response = app.post("/internal/oauth/callback", content=body, headers={"Content-Type": "application/json"})
    assert response.status_code == 422
    assert response.headers["Content-Type"] == "application/problem+json"
    assert "hush" not in response.text
