from __future__ import annotations

import asyncio

import pytest

from app.core.dependency_errors import Failure
from app.core.errors import ServiceError
from app.run import prepare
from app.run.prepare import wait_for


class Service:
    """Fails as often as told, then works."""

    def __init__(self, *failures: Exception) -> None:
        self.failures = list(failures)
        self.attempts = 0

    async def attempt(self) -> None:
        self.attempts += 1
        if self.failures:
            raise self.failures.pop(0)


@pytest.fixture(autouse=True)
def short_interval(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prepare, "INTERVAL", 0.001)


async def test_tries_until_it_works() -> None:
    service = Service(ConnectionRefusedError(), TimeoutError(), ConnectionRefusedError())
    await wait_for("Redis at r:1", service.attempt, timeout=10)
    assert service.attempts == 4


async def test_gives_up_at_once_where_waiting_is_useless(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prepare, "explain", lambda _: Failure("it refuses the password", permanent=True))
    service = Service(RuntimeError())
    with pytest.raises(ServiceError, match=r"^Cannot use Redis at r:1: it refuses the password$"):
        await wait_for("Redis at r:1", service.attempt, timeout=10)
    assert service.attempts == 1


async def test_gives_up_in_time() -> None:
    async def refuse() -> None:
        raise ConnectionRefusedError

    with pytest.raises(ServiceError, match=r"^Redis at r:1 is not ready after 0.05 s: connection refused$"):
        await wait_for("Redis at r:1", refuse, timeout=0.05)


async def test_ends_an_attempt_that_hangs() -> None:
    with pytest.raises(ServiceError, match=r"^Redis at r:1 is not ready after 0.05 s: no answer in time$"):
        await wait_for("Redis at r:1", asyncio.Event().wait, timeout=0.05)


async def test_an_attempt_cut_off_does_not_hide_the_reason() -> None:
    service = Service(ConnectionRefusedError())

    async def refuse_then_hang() -> None:
        await service.attempt()
        await asyncio.Event().wait()

    with pytest.raises(ServiceError, match=r"^Redis at r:1 is not ready after 0.2 s: connection refused$"):
        await wait_for("Redis at r:1", refuse_then_hang, timeout=0.2)


async def test_can_be_cancelled() -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await wait_for("Redis at r:1", asyncio.Event().wait, timeout=60)
