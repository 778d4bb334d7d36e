from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Hashable, Mapping
from http import HTTPStatus
from typing import Any

import pytest
from fastapi import FastAPI
from httpx2 import ASGITransport, AsyncClient
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors import ServiceError
from app.core.in_flight import InFlight
from app.http import drain
from app.http import readiness as module
from app.http.readiness import Check, Ping, Readiness, assess


async def works() -> None:
    pass


async def refuses() -> None:
    raise ConnectionRefusedError("user:hush@host")


async def lags() -> None:
    raise ServiceError("the database is at revision none, the code needs 0001")


async def breaks() -> None:
    raise RuntimeError("user:hush@host")


async def test_ready() -> None:
    readiness = await assess({"database": works, "cache": works})
    assert readiness.model_dump(exclude_none=True) == {
        "status": "ready",
        "checks": {"database": {"status": "ok"}, "cache": {"status": "ok"}},
    }


async def test_names_the_part_that_failed_and_why() -> None:
    readiness = await assess({"database": works, "cache": refuses, "migrations": lags, "other": breaks})
    assert readiness.status == "unready"
    assert readiness.checks == {
        "database": Check(status="ok"),
        "cache": Check(status="failed", reason="connection refused"),
        "migrations": Check(status="failed", reason="the database is at revision none, the code needs 0001"),
        "other": Check(status="failed", reason="unexpected failure (RuntimeError)"),
    }


async def test_a_part_that_hangs_fails_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TIMEOUT", 0.01)
    readiness = await assess({"database": asyncio.Event().wait, "cache": works})
    assert readiness.checks["database"] == Check(status="failed", reason="no answer in time")
    assert readiness.checks["cache"].status == "ok"


async def test_checks_at_the_same_time() -> None:
    together = asyncio.Barrier(3)
    readiness = await assess({"a": together.wait, "b": together.wait, "c": together.wait})
    assert readiness.status == "ready"


@given(st.dictionaries(st.text(max_size=5), st.booleans(), max_size=5))
def test_ready_means_every_part(parts: dict[str, bool]) -> None:
    readiness = asyncio.run(assess({name: works if good else refuses for name, good in parts.items()}))
    assert (readiness.status == "ready") == all(parts.values())
    assert {name: check.status == "ok" for name, check in readiness.checks.items()} == parts


@pytest.mark.parametrize("part", [refuses, breaks])
async def test_never_shows_what_the_driver_said(part: object) -> None:
    readiness = await assess({"part": part})  # type: ignore[dict-item]
    assert "hush" not in readiness.model_dump_json()


async def test_one_check_answers_all_who_ask_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    asked, checked, all_asked = 5, 0, asyncio.Event()

    class Counted(InFlight):
        joined = 0

        async def join(self, name: Hashable, begin: Callable[[], Coroutine[Any, Any, Any]]) -> Any:  # noqa: ANN401
            self.joined += 1
            if self.joined == asked:
                all_asked.set()
            return await super().join(name, begin)

    async def check(_parts: Mapping[str, Ping]) -> Readiness:
        nonlocal checked
        checked += 1
        await all_asked.wait()
        return Readiness(status="unready", checks={})

    monkeypatch.setattr(module, "assess", check)
    app, state = FastAPI(), {"engine": None, "cache": None, "head": "", "in_flight": Counted()}
    app.include_router(module.router)

    async def with_state(scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401
        await app({**scope, "state": state}, receive, send)

    async with AsyncClient(transport=ASGITransport(with_state), base_url="https://app") as client:
        answers = await asyncio.gather(*(client.get("/ready") for _ in range(asked)))
    assert {answer.status_code for answer in answers} == {HTTPStatus.SERVICE_UNAVAILABLE}
    assert checked == 1


def test_a_process_that_drains_answers_in_the_same_shape() -> None:
    assert Readiness.model_validate(drain.DRAINING).model_dump(exclude_none=True) == drain.DRAINING
