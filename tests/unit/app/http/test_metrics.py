from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, cast

import pytest
from prometheus_client import REGISTRY
from starlette.testclient import TestClient

from app.main import create_internal
from tests.unit.app.browsing import HTML

if TYPE_CHECKING:
    from app.main import State
    from tests.unit.app.browsing import Browser

ID = "7c9e6679-7425-40de-944b-e07fc1f90ae7"


def count(method: str, route: str, status: int) -> float:
    labels = {"method": method, "route": route, "status": str(status)}
    return REGISTRY.get_sample_value("dashtam_http_requests_total", labels) or 0


@pytest.mark.parametrize(
    ("method", "path", "route", "status"),
    [
        ("GET", "/", "/", 200),
        ("GET", "/static/style.css", "/static/{name}", 200),
        ("POST", f"/connections/{ID}/refresh", "/connections/{connection_id}/refresh", 403),
        ("GET", "/broken", "/broken", 500),
        ("GET", "/nowhere/at/all", "unmatched", 404),
        ("BREW", "/nowhere", "unmatched", 404),
    ],
)
def test_counts_by_template(browser: Browser, method: str, path: str, route: str, status: int) -> None:
    label = "other" if method == "BREW" else method
    before = count(label, route, status)
    assert browser.request(method, path, headers=HTML).status_code == status
    assert count(label, route, status) == before + 1
    times = REGISTRY.get_sample_value("dashtam_http_request_duration_seconds_count", {"method": label, "route": route})
    assert times
    assert times >= 1


def test_prometheus_reads_it(browser: Browser) -> None:
    browser.get("/")
    internal_app = create_internal(lambda _: nullcontext(cast("State", {})))
    with TestClient(internal_app, base_url="https://app:9000") as internal:
        response = internal.get("/metrics")
        assert [internal.get(path).status_code for path in ("/", "/docs", "/openapi.json")] == [404] * 3
    assert response.headers["Content-Type"].startswith("text/plain")
    assert "dashtam_http_requests_total{" in response.text
    assert "dashtam_linking_outcomes_total" in response.text
    assert ID not in response.text


def test_the_app_itself_serves_none(browser: Browser) -> None:
    assert browser.get("/metrics").status_code == 404
