from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from starlette.testclient import TestClient

from app.callback.delivery import PATH
from app.http.middleware import HEADERS
from app.main import create_app, create_internal, opened

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app.core.settings import AppSettings


@pytest.fixture(scope="module")
def client(app_settings: AppSettings) -> Iterator[TestClient]:
    app = create_app(app_settings, lambda _: opened(app_settings))
    with TestClient(app, base_url="https://app:8000") as client:
        yield client


def test_health_needs_nothing(client: TestClient) -> None:
    response = client.get("/health")
    assert response.status_code == 200
    assert response.json() == {"status": "ok"}


def test_not_ready_without_database_and_cache(client: TestClient) -> None:
    response = client.get("/ready")
    assert response.status_code == 503
    refused = {"status": "failed", "reason": "connection refused"}
    assert response.json() == {
        "status": "unready",
        "checks": {"database": refused, "cache": refused, "migrations": refused},
    }


@pytest.mark.parametrize("path", ["/health", "/ready", "/docs", "/openapi.json", "/nowhere"])
def test_security_headers(client: TestClient, path: str) -> None:
    headers = client.get(path).headers
    expected = {name: value for name, value in HEADERS.items() if (path, name) != ("/docs", "Content-Security-Policy")}
    assert {name: headers.get(name) for name in expected} == expected


def test_docs_run_only_the_scripts_that_the_policy_names(client: TestClient) -> None:
    response = client.get("/docs")
    assert '<html lang="en">\n    <head>\n    <meta charset="utf-8">' in response.text
    policy = dict(rule.strip().split(" ", 1) for rule in response.headers["Content-Security-Policy"].split(";"))
    assert "unsafe-inline" not in policy["script-src"]
    assert policy["default-src"] == "'none'"
    assert len(re.findall(r"'sha256-[^']+'", policy["script-src"])) == len(re.findall("<script>", response.text)) == 1
    sources = re.findall(r'<(?:script src|link [^>]*href)="(https://[^/"]+)', response.text)
    assert set(sources) <= set(policy["script-src"].split())


def test_the_docs_describe_every_answer(client: TestClient) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    assert {path for path in paths if not path.startswith("/api/v1/")} == {"/health", "/ready"}
    assert set(paths["/ready"]["get"]["responses"]) == {"200", "503"}
    failures = [
        (status, found)
        for path, routes in paths.items()
        if path.startswith("/api/v1/")
        for route in routes.values()
        for status, found in route["responses"].items()
        if status >= "400"
    ]
    for status, found in failures:
        assert found["content"] == {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
        assert ("Retry-After" in found.get("headers", {})) == (status in {"429", "503"})
    assert {status for status, _ in failures} == {"403", "404", "409", "413", "422", "429", "502", "503"}


def test_the_docs_say_how_to_prove_who_asks(client: TestClient) -> None:
    document = client.get("/openapi.json").json()
    schemes = {
        name: (one["type"], one["in"], one["name"]) for name, one in document["components"]["securitySchemes"].items()
    }
    assert schemes == {
        "session": ("apiKey", "cookie", "__Host-dashtam-8000"),
        "csrf": ("apiKey", "header", "X-CSRF-Token"),
    }
    assert {"Problem", "Fault"} <= set(document["components"]["schemas"])
    for path, routes in document["paths"].items():
        for method, route in routes.items():
            if path.startswith("/api/v1/") and path != "/api/v1/providers":
                proofs: list[dict[str, list[str]]] = [{"session": []}, {}]
                assert route["security"] == (proofs if method == "get" else [{"session": [], "csrf": []}])
                assert method == "get" or {"403", "413", "429"} <= set(route["responses"])
            else:
                assert "security" not in route


@pytest.mark.parametrize("redirect", [{"state": "s", "code": "c"}, {"state": "s", "error": "access_denied"}])
def test_without_the_cache_no_answer_is_taken(app_settings: AppSettings, redirect: dict[str, str]) -> None:
    with TestClient(create_internal(lambda _: opened(app_settings)), base_url="https://app:9000") as callback:
        response = callback.post(PATH, json=redirect)
    assert response.status_code == 503
    assert response.headers["Content-Type"] == "application/problem+json"
    assert response.headers["Retry-After"]


def test_a_wrong_method_is_told_all_right_ones(client: TestClient) -> None:
    response = client.put("/api/v1/connections/00000000-0000-0000-0000-000000000001")
    assert (response.status_code, response.headers["Allow"]) == (405, "DELETE, GET")


def test_without_the_database_a_browser_gets_a_page(client: TestClient) -> None:
    response = client.get("/", headers={"Accept": "text/html"})
    assert response.status_code == 503
    assert "Dashtam is not available" in response.text
    assert response.headers["Content-Type"].startswith("text/html")


@pytest.mark.parametrize("path", ["/docs/assets/swagger-ui-bundle.js", "/docs/assets/swagger-ui.css"])
def test_the_docs_need_no_other_host(client: TestClient, path: str) -> None:
    assert client.get(path).status_code == 200
    assert path in client.get("/docs").text
    assert "https://" not in client.get("/docs").text
