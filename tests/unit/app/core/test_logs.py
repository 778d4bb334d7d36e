from __future__ import annotations

import json
import logging
import string
from typing import TYPE_CHECKING

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from app.core import logs

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.usefixtures("restored_logging")

ACCESS = '%s - "%s %s HTTP/%s" %d'
HUSH = st.text(string.ascii_letters + string.digits + "-._~", min_size=8).map(lambda text: f"hush-{text}")


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_json(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure(debug=False)
    structlog.get_logger("app.x").info("Something happened", count=2)
    (line,) = lines(capsys)
    assert line.pop("timestamp")
    assert line == {"event": "Something happened", "level": "info", "logger": "app.x", "count": 2}


def test_readable_when_debugging(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure(debug=True)
    structlog.get_logger("app.x").debug("Something happened", count=2)
    text = capsys.readouterr().out
    assert "Something happened" in text
    assert "count=2" in text
    assert not text.startswith("{")


def test_debug_lines_are_for_debugging(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure(debug=False)
    structlog.get_logger("app.x").debug("Something happened")
    assert lines(capsys) == []


def test_other_libraries_come_through_the_same_pipeline(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure(debug=False)
    logging.getLogger("uvicorn.error").info("Started server process [%d]", 7)
    (line,) = lines(capsys)
    assert (line["event"], line["logger"]) == ("Started server process [7]", "uvicorn.error")


def test_an_exception_is_logged_without_the_values_of_variables(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure(debug=False)
    try:
        int("four")
    except ValueError:
        code = "hush"
        logging.getLogger("uvicorn.error").exception("Exception in ASGI application")
    (line,) = lines(capsys)
    assert "invalid literal for int()" in str(line["exception"])
    assert code not in str(line)


@pytest.mark.parametrize("debug", [True, False])
@pytest.mark.parametrize("structured", [True, False])
def test_the_line_with_the_request_id_names_the_exception(
    capsys: pytest.CaptureFixture[str], *, debug: bool, structured: bool
) -> None:
    logs.configure(debug=debug)
    logger = structlog.get_logger("app.x") if structured else logging.getLogger("uvicorn.error")
    with structlog.contextvars.bound_contextvars(request_id="abcdefgh"):
        try:
            int("fo\nur?token=hush")
        except ValueError:
            logger.exception("Exception in ASGI application\n")
    [line] = [one for one in capsys.readouterr().out.splitlines() if "abcdefgh" in one]
    assert "Exception in ASGI application" in line
    assert "ValueError: invalid literal for int() with base 10" in line
    assert "hush" not in line


@pytest.mark.parametrize("debug", [True, False])
def test_access_without_the_query(capsys: pytest.CaptureFixture[str], *, debug: bool) -> None:
    logs.configure(debug=debug)
    logging.getLogger("uvicorn.access").info(ACCESS, "10.0.0.1:5", "GET", "/a/b?code=hush&state=quiet", "1.1", 400)
    text = capsys.readouterr().out
    assert "hush" not in text
    assert "quiet" not in text
    assert all(part in text for part in ("request", "GET", "/a/b", "400", "10.0.0.1:5"))


@pytest.mark.parametrize(
    ("path", "status", "count"),
    [
        ("/health", 200, 0),
        ("/ready", 200, 0),
        ("/ready", 503, 1),
        ("/ready?x", 200, 0),
        ("/metrics", 200, 0),
        ("/docs", 200, 1),
    ],
)
def test_good_probes_are_left_out(capsys: pytest.CaptureFixture[str], path: str, status: int, count: int) -> None:
    logs.configure(debug=False)
    logging.getLogger("uvicorn.access").info(ACCESS, "10.0.0.1:5", "GET", path, "1.1", status)
    assert len(lines(capsys)) == count


@pytest.mark.parametrize("name", ["httpx2", "alembic.runtime.migration"])
def test_libraries_that_say_too_much_are_quiet(capsys: pytest.CaptureFixture[str], name: str) -> None:
    logs.configure(debug=True)
    logging.getLogger(name).info("HTTP Request: GET https://x/?code=hush")
    assert capsys.readouterr().out == ""


PLACES: list[Callable[[str], dict[str, object]]] = [
    lambda secret: {"code": secret},
    lambda secret: {"access_token": secret},
    lambda secret: {"receipt": secret},
    lambda secret: {"nonce": secret},
    lambda secret: {"code_verifier": secret},
    lambda secret: {"event": f"GET /finish?receipt={secret}"},
    lambda secret: {"DATABASE_PASSWORD": secret},
    lambda secret: {"headers": {"Authorization": f"Bearer {secret}"}},
    lambda secret: {"items": [{"client_secret": secret}]},
    lambda secret: {"event": f"GET /?code={secret}&x=1"},
    lambda secret: {"event": f"GET /?x=1&state={secret}"},
    lambda secret: {"event": f"connect with password={secret} to host"},
    lambda secret: {"event": f"postgresql://user:{secret}@host:5432/db"},
    lambda secret: {"exception": f"rediss://:{secret}@host"},
]


@pytest.mark.parametrize("place", PLACES)
@given(secret=HUSH)
def test_secrets_are_hidden(place: Callable[[str], dict[str, object]], secret: str) -> None:
    assert secret not in str(logs.redact(None, "info", place(secret)))


@pytest.mark.parametrize(
    "entry",
    [
        {"event": "running on https://0.0.0.0:8000 now"},
        {"event": "exit, status_code=404", "status": 3, "status_code": 404},
        {"event": "Waiting", "reason": "connection refused"},
        {"event": "https://app:8000/internal/oauth/callback"},
    ],
)
def test_the_rest_stays(entry: dict[str, object]) -> None:
    assert logs.redact(None, "info", dict(entry)) == entry
