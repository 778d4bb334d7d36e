from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from fastapi import FastAPI, HTTPException
from pydantic import BaseModel, SecretStr
from starlette.testclient import TestClient

from app import problems
from app.security import HEADERS

if TYPE_CHECKING:
    from collections.abc import Iterator


class Body(BaseModel):
    code: SecretStr
    amount: int


def make_app() -> FastAPI:
    app = FastAPI()
    problems.install(app)

    @app.get("/unexpected")
    async def unexpected() -> None:
        raise RuntimeError("hush")

    @app.get("/teapot")
    async def teapot() -> None:
        raise HTTPException(418, "short and stout", {"Retry-After": "1"})

    @app.post("/body")
    async def body(body: Body) -> None:
        del body

    return app


@pytest.fixture
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
