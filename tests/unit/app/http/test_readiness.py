from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.http import readiness as module
from app.http.readiness import Check, Unready, assess


async def works() -> None:
    pass


async def refuses() -> None:
    raise ConnectionRefusedError("user:hush@host")


async def lags() -> None:
    raise Unready("the database is at revision none, the code needs 0001")


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
