from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING

import httpx2
import pytest
from starlette.testclient import TestClient

from app.callback import DELIVERY, create_callback
from app.pages import POLICY
from app.security import HEADERS
from app.settings import CallbackSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Respond = Callable[[httpx2.Request], httpx2.Response]

UNKNOWN = httpx2.Response(
    400, json={"title": "Unknown state", "status": 400, "detail": "No <such> state."},
    headers={"Content-Type": "application/problem+json"},
)  # fmt: skip


class App:
    """Stands for the app: remembers what it was sent, answers as told."""

    def __init__(self) -> None:
        self.sent: list[dict[str, str]] = []
        self.answer: httpx2.Response | Exception = UNKNOWN

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        assert (request.method, str(request.url)) == ("POST", f"https://app:8000{DELIVERY}")
        self.sent.append(json.loads(request.content))
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.fixture
def app() -> App:
    return App()


@pytest.fixture
def client(app: App, tls_environment: dict[str, str]) -> Iterator[TestClient]:
    values = {name.lower(): value for name, value in tls_environment.items()}
    settings = CallbackSettings.model_validate({"app_url": "https://app:8000", **values})
    server = create_callback(settings, httpx2.MockTransport(app))
    with TestClient(server, base_url="https://callback:8182", raise_server_exceptions=False) as client:
        yield client


def test_health(client: TestClient) -> None:
    assert client.get("/health").json() == {"status": "ok"}


def test_hands_the_redirect_on(client: TestClient, app: App) -> None:
    response = client.get("/", params={"state": "s", "code": "c", "scope": "x"})
    assert app.sent == [{"state": "s", "code": "c"}]
    assert response.status_code == 400
    assert "The account was not linked" in response.text
    assert "No &lt;such&gt; state." in response.text


def test_tells_the_provider_s_refusal_and_the_app_too(client: TestClient, app: App) -> None:
    sent = {"state": "s", "error": "access_denied", "error_description": "<b>No</b>"}
    response = client.get("/", params=sent)
    assert app.sent == [sent]
    assert response.status_code == 400
    assert "The provider did not allow the link" in response.text
    assert "access_denied: &lt;b&gt;No&lt;/b&gt;" in response.text


def test_an_incomplete_redirect_never_reaches_the_app(client: TestClient, app: App) -> None:
    response = client.get("/?code=c")
    assert app.sent == []
    assert response.status_code == 400
    assert "It gives no state." in response.text


@pytest.mark.parametrize(
    ("answer", "title"),
    [
        (httpx2.ConnectError("refused"), "Dashtam is not available"),
        (httpx2.ReadTimeout("slow"), "Dashtam is not available"),
        (httpx2.Response(500, json={}, headers={"Content-Type": "application/problem+json"}), "Something went wrong"),
        (httpx2.Response(400, text="no problem details"), "Something went wrong"),
        (httpx2.Response(200, json={}), "Something went wrong"),
    ],
)
def test_never_claims_success(client: TestClient, app: App, answer: httpx2.Response | Exception, title: str) -> None:
    app.answer = answer
    response = client.get("/?state=s&code=c")
    assert response.status_code == 502
    assert title in response.text


def test_an_unexpected_failure_shows_no_detail(client: TestClient, app: App) -> None:
    app.answer = RuntimeError("inside")
    response = client.get("/?state=s&code=c")
    assert response.status_code == 500
    assert "inside" not in response.text
    assert {name: response.headers[name] for name in HEADERS} == {**HEADERS, "Content-Security-Policy": POLICY}


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/nowhere", 404), ("POST", "/", 405)])
def test_other_addresses(client: TestClient, method: str, path: str, status: int) -> None:
    response = client.request(method, path)
    assert response.status_code == status
    assert "There is nothing at this address." in response.text


@pytest.mark.parametrize("path", ["/", "/health", "/style.css", "/nowhere", "/?state=s&code=c"])
def test_security_headers(client: TestClient, path: str) -> None:
    headers = client.get(path).headers
    assert {name for name in HEADERS if name not in headers} == set()
    assert "default-src 'none'" in headers["Content-Security-Policy"]


def test_never_logs_the_code(client: TestClient, app: App, caplog: pytest.LogCaptureFixture) -> None:
    app.answer = httpx2.ConnectError("https://app:8000/?code=hush")
    with caplog.at_level(logging.DEBUG):
        client.get("/?state=quiet&code=hush")
    assert "hush" not in "".join(record.getMessage() for record in caplog.records if record.name.startswith("app"))
