from __future__ import annotations

import asyncio

import pytest

from app.core.in_flight import Flights


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


async def test_all_who_ask_share_it() -> None:
    flights, work = Flights(), Work()
    asking = [asyncio.create_task(flights.join("a", work.do)) for _ in range(10)]
    other = asyncio.create_task(flights.join("b", work.do))
    await asyncio.wait(asking, timeout=0.01)
    work.may_end.set()
    assert await asyncio.gather(*asking) == [1] * 10
    assert await other == 2


async def test_it_begins_anew_once_it_has_ended() -> None:
    flights, work = Flights(), Work()
    work.may_end.set()
    assert [await flights.join("a", work.do) for _ in range(3)] == [1, 2, 3]


async def test_a_failure_is_told_to_all_and_ends_it() -> None:
    async def fail() -> None:
        raise ValueError("no")

    flights = Flights()
    told = await asyncio.gather(*(flights.join("a", fail) for _ in range(3)), return_exceptions=True)
    assert [str(one) for one in told] == ["no"] * 3
    await flights.settle()


async def test_it_goes_on_though_nobody_waits_any_more() -> None:
    flights, work = Flights(), Work()
    asking = asyncio.create_task(flights.join("a", work.do))
    await asyncio.wait([asking], timeout=0.01)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert (work.begun, work.ended) == (1, 0)
    work.may_end.set()
    await flights.settle()
    assert work.ended == 1
