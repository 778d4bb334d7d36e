from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING
from unittest.mock import Mock

import pytest
from fastapi import FastAPI, HTTPException
from pydantic import BaseModel, SecretStr
from sqlalchemy.exc import DBAPIError, IntegrityError
from starlette.testclient import TestClient
from structlog.testing import capture_logs

from app.http import problems
from app.http.middleware import HEADERS

if TYPE_CHECKING:
    from collections.abc import Iterator


class Body(BaseModel):
    code: SecretStr
    amount: int


FAILURES: dict[str, Exception] = {
    "refused": ConnectionRefusedError("hush"),
    "pool": TimeoutError("hush"),
    "busy": DBAPIError("SELECT hush", {}, Mock(sqlstate="53300")),
    "file": FileNotFoundError(2, "hush", "/hush"),
    "unique": IntegrityError("INSERT hush", {}, Mock(sqlstate="23505")),
}


def make_app() -> FastAPI:
    app = FastAPI()
    problems.install(app, {})

    @app.get("/unexpected")
    async def unexpected() -> None:
        raise RuntimeError("hush")

    @app.get("/teapot")
    async def teapot() -> None:
        raise HTTPException(418, "short and stout", {"Retry-After": "1"})

    @app.get("/raise/{name}")
    async def raise_it(name: str) -> None:
        raise FAILURES[name]

    @app.post("/body")
    async def body(body: Body) -> None:
        del body

    return app


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    with TestClient(make_app(), raise_server_exceptions=False) as client:
        yield client


@pytest.mark.parametrize(
    ("method", "path", "problem"),
    [
        ("GET", "/nowhere", {"type": "about:blank", "title": "Not Found", "status": 404}),
        ("DELETE", "/teapot", {"type": "about:blank", "title": "Method Not Allowed", "status": 405}),
        (
            "GET",
            "/teapot",
            {"type": "about:blank", "title": "I'm a Teapot", "status": 418, "detail": "short and stout"},
        ),
        (
            "GET",
            "/unexpected",
            {
                "type": "about:blank",
                "title": "Internal Server Error",
                "status": 500,
                "detail": "The cause is in the service's log.",
            },
        ),
    ],
)
def test_every_error_is_a_problem(client: TestClient, method: str, path: str, problem: dict[str, object]) -> None:
    response = client.request(method, path)
    assert response.status_code == problem["status"]
    assert response.headers["Content-Type"] == "application/problem+json"
    assert response.headers.items() >= {name.lower(): value for name, value in HEADERS.items()}.items()
    assert response.json() == problem


def test_keeps_the_headers_of_an_error(client: TestClient) -> None:
    assert client.get("/teapot").headers["Retry-After"] == "1"
    assert client.delete("/teapot").headers["Allow"] == "GET"


def test_an_invalid_request_is_told_without_its_values(client: TestClient) -> None:
    response = client.post("/body", json={"code": "hush", "amount": "hush too"})
    assert response.status_code == 422
    assert response.json()["title"] == HTTPStatus(422).phrase
    assert response.json()["faults"] == [
        {
            "location": ["body", "amount"],
            "reason": "Input should be a valid integer, unable to parse string as an integer",
        }
    ]
    assert "hush" not in response.text


def test_a_body_that_is_no_json_is_not_repeated(client: TestClient) -> None:
    response = client.post("/body", content=b'{"code": "hush', headers={"Content-Type": "application/json"})
    assert response.status_code == 422
    assert "hush" not in response.text


@pytest.mark.parametrize("name", ["refused", "pool", "busy"])
def test_an_outage_is_told_as_one(client: TestClient, name: str) -> None:
    with capture_logs() as entries:
        response = client.get(f"/raise/{name}")
    assert (response.status_code, response.headers["Retry-After"]) == (503, "5")
    assert response.json()["title"] == "Service Unavailable"
    assert [entry["log_level"] for entry in entries] == ["warning"]
    assert "hush" not in f"{entries}{response.text}"


@pytest.mark.parametrize("name", ["file", "unique"])
def test_a_fault_of_the_code_is_not_taken_for_an_outage(name: str) -> None:
    with TestClient(make_app(), raise_server_exceptions=False) as client:
        response = client.get(f"/raise/{name}")
    assert response.status_code == 500
    assert "hush" not in response.text
    with TestClient(make_app()) as client, pytest.raises(type(FAILURES[name])):  # so the server logs it
        client.get(f"/raise/{name}")
