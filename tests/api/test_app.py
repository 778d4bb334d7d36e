from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from app.http.middleware import HEADERS

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
        ("POST", "/health", 405, "Method Not Allowed"),
        ("DELETE", "/ready", 405, "Method Not Allowed"),
    ],
)
def test_errors_are_problems(app: httpx2.Client, method: str, path: str, status: int, title: str) -> None:
    response = app.request(method, path)
    assert response.status_code == status
    assert response.headers["Content-Type"] == "application/problem+json"
    assert response.json() == {"type": "about:blank", "title": title, "status": status}


@pytest.mark.parametrize("path", ["/internal/oauth/callback", "/metrics"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_what_is_internal_is_not_published(app: httpx2.Client, method: str, path: str) -> None:
    assert app.request(method, path).status_code == 404


TOO_LARGE = (413, "The request's body is larger than 65536 bytes.")
FIELD_TOO_LARGE = (400, "Field exceeded maximum size of 1KB.")


@pytest.mark.parametrize(
    ("told", "refusals"),
    # How much of a body that doesn't tell its size is seen at once is chance, and so is which limit it meets first.
    [(True, {TOO_LARGE}), (False, {TOO_LARGE, FIELD_TOO_LARGE})],
)
def test_a_body_that_is_too_large_is_not_read(
    app: httpx2.Client, *, told: bool, refusals: set[tuple[int, str]]
) -> None:
    size, piece = 8 * 1024 * 1024, b"a" * 64 * 1024
    pieces = (piece for _ in range(size // len(piece)))
    headers = {"Content-Type": "application/x-www-form-urlencoded", **({"Content-Length": str(size)} if told else {})}
    response = app.post("/connect/sandbox", content=pieces, headers=headers)
    assert (response.status_code, response.json()["detail"]) in refusals
