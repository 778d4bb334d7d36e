from __future__ import annotations

import asyncio
from collections.abc import Callable

import httpx2
import pytest

from app.providers import discovery
from app.providers.client import Provider
from app.providers.discovery import MetadataSource
from app.providers.errors import UnavailableError
from tests.unit.app.providers.conftest import ISSUER, BackChannel, Pause

WELL_KNOWN = "/.well-known/openid-configuration"


@pytest.fixture
def source(provider: Callable[..., Provider]) -> MetadataSource:
    return provider()._source


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time, to be moved on."""
    now = [1000.0]
    monkeypatch.setattr("app.providers.discovery.time.monotonic", lambda: now[0])
    return now


async def test_it_is_asked_for_once(source: MetadataSource, back_channel: BackChannel) -> None:
    assert await source.get() == await source.get()
    assert len(back_channel.asked) == 1


async def test_it_is_asked_for_anew_after_a_while(
    source: MetadataSource, back_channel: BackChannel, clock: list[float]
) -> None:
    await source.get()
    back_channel.answers[WELL_KNOWN]["token_endpoint"] = f"{ISSUER}/another"
    clock[0] += discovery.LIFETIME - 1
    assert (await source.get()).token_endpoint == f"{ISSUER}/token"
    clock[0] += 1
    assert (await source.get()).token_endpoint == f"{ISSUER}/another"


@pytest.mark.parametrize("succeeds", [True, False])
async def test_all_who_wait_share_one_answer(source: MetadataSource, back_channel: BackChannel, succeeds: bool) -> None:
    pause = back_channel.pauses[WELL_KNOWN] = Pause()
    if not succeeds:
        back_channel.answers[WELL_KNOWN] = httpx2.Response(500)
    waiting = [asyncio.create_task(source.get()) for _ in range(10)]
    await pause.reached.wait()
    pause.over.set()
    found = await asyncio.gather(*waiting, return_exceptions=True)
    assert all(isinstance(one, UnavailableError) is not succeeds for one in found)
    assert len(back_channel.asked) == 1


async def test_who_gives_up_takes_it_from_nobody(source: MetadataSource, back_channel: BackChannel) -> None:
    pause = back_channel.pauses[WELL_KNOWN] = Pause()
    impatient, patient = asyncio.create_task(source.get()), asyncio.create_task(source.get())
    await pause.reached.wait()
    impatient.cancel()
    with pytest.raises(asyncio.CancelledError):
        await impatient
    pause.over.set()
    assert (await patient).issuer == ISSUER
    assert len(back_channel.asked) == 1


async def test_a_failure_is_not_kept(source: MetadataSource, back_channel: BackChannel) -> None:
    back_channel.answers[WELL_KNOWN], right = httpx2.Response(500), back_channel.answers[WELL_KNOWN]
    with pytest.raises(UnavailableError, match=r"well-known/openid-configuration answers with 500"):
        await source.get()
    back_channel.answers[WELL_KNOWN] = right
    assert (await source.get()).issuer == ISSUER


@pytest.mark.parametrize(
    "failure", [httpx2.Response(500), httpx2.ConnectError("refused"), {"issuer": "https://another.example"}]
)
async def test_older_metadata_does_while_a_provider_fails(
    source: MetadataSource, back_channel: BackChannel, clock: list[float], failure: object
) -> None:
    known = await source.get()
    back_channel.answers[WELL_KNOWN] = failure
    clock[0] += discovery.LIFETIME
    assert await source.get() == await source.get() == known
    assert len(back_channel.asked) == 2
    clock[0] += discovery.RETRY
    assert await source.get() == known
    assert len(back_channel.asked) == 3


async def test_it_is_not_waited_for_forever(
    source: MetadataSource, back_channel: BackChannel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(discovery, "TIMEOUT", 0.01)
    back_channel.pauses[WELL_KNOWN] = Pause()
    with pytest.raises(UnavailableError, match=r"takes more than 0\.01 seconds"):
        await source.get()
