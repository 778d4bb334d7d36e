from __future__ import annotations

import json
import logging
import re
from typing import TYPE_CHECKING

import pytest
import structlog
from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

from app.core import logs
from app.http.middleware import REQUEST_ID, RequestIds, request_id_header

if TYPE_CHECKING:
    from starlette.requests import Request


async def tell(_request: Request) -> Response:
    structlog.get_logger("app.x").info("Told")
    logging.getLogger("uvicorn.access").info('%s - "%s %s HTTP/%s" %d', "c", "GET", "/?code=hush", "1.1", 200)
    return JSONResponse(request_id_header())


CLIENT = TestClient(RequestIds(Starlette(routes=[Route("/", tell)])))


@pytest.mark.parametrize("given", ["01234567", "A-b_9" * 12, "7c9e6679-7425-40de-944b-e07fc1f90ae7"])
def test_takes_a_good_id_over(given: str) -> None:
    response = CLIENT.get("/", headers={REQUEST_ID: given})
    assert response.json() == {REQUEST_ID: given}
    assert response.headers[REQUEST_ID] == given


@pytest.mark.parametrize(
    "given", [None, "", "short", "x" * 65, "with space", "line\tbreak", "<script>alert(1)", "é" * 9]
)
def test_makes_one_otherwise(given: str | None) -> None:
    headers = [] if given is None else [(REQUEST_ID.encode(), given.encode())]
    made = CLIENT.get("/", headers=headers).headers[REQUEST_ID]
    assert re.fullmatch(r"[0-9a-f]{32}", made)


@pytest.mark.usefixtures("restored_logging")
def test_every_line_has_it(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure(debug=False)
    CLIENT.get("/", headers={REQUEST_ID: "request-1"})
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["event"] for line in lines if line["request_id"] == "request-1"] == ["Told", "request"]
    assert "hush" not in str(lines)


def test_there_is_none_outside_of_a_request() -> None:
    assert request_id_header() == {}
