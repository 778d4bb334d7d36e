from __future__ import annotations

import asyncio
import gc

import pytest

from app.core.in_flight import InFlight


class Work:
    """Work that ends when it is told to."""

    def __init__(self) -> None:
        self.begun = 0
        self.ended = 0
        self.may_end = asyncio.Event()

    async def do(self) -> int:
        self.begun += 1
        await self.may_end.wait()
        self.ended += 1
        return self.ended


async def test_all_callers_share_it() -> None:
    in_flight, work = InFlight(), Work()
    callers = [asyncio.create_task(in_flight.join("a", work.do)) for _ in range(10)]
    other = asyncio.create_task(in_flight.join("b", work.do))
    await asyncio.wait(callers, timeout=0.01)
    work.may_end.set()
    assert await asyncio.gather(*callers) == [1] * 10
    assert await other == 2


async def test_it_begins_again_once_it_has_ended() -> None:
    in_flight, work = InFlight(), Work()
    work.may_end.set()
    assert [await in_flight.join("a", work.do) for _ in range(3)] == [1, 2, 3]


async def test_a_failure_reaches_all_callers_and_ends_it() -> None:
    async def fail() -> None:
        raise ValueError("no")

    in_flight = InFlight()
    raised = await asyncio.gather(*(in_flight.join("a", fail) for _ in range(3)), return_exceptions=True)
    assert [str(one) for one in raised] == ["no"] * 3
    await in_flight.settle()


async def test_it_runs_to_its_end_though_nobody_waits_any_more() -> None:
    in_flight, work = InFlight(), Work()
    callers = asyncio.create_task(in_flight.join("a", work.do))
    await asyncio.wait([callers], timeout=0.01)
    callers.cancel()
    with pytest.raises(asyncio.CancelledError):
        await callers
    assert (work.begun, work.ended) == (1, 0)
    work.may_end.set()
    await in_flight.settle()
    assert work.ended == 1


async def test_a_failure_that_nobody_waits_for_is_not_logged_as_lost(caplog: pytest.LogCaptureFixture) -> None:
    may_fail = asyncio.Event()

    async def fail() -> None:
        await may_fail.wait()
        raise ValueError("no")

    in_flight = InFlight()
    caller = asyncio.create_task(in_flight.join("a", fail))
    await asyncio.wait([caller], timeout=0.01)
    caller.cancel()
    await asyncio.wait([caller])
    may_fail.set()
    await in_flight.settle()
    del caller  # it refers to the work
    gc.collect()
    assert caplog.records == []
