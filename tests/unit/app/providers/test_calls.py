from __future__ import annotations

import gzip
import socket
import ssl
import zlib
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING

import httpx2
import pytest

from app.providers.calls import LARGEST, MAX_WAIT_SECONDS, call
from app.providers.errors import UnavailableError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    Answer = Callable[[], httpx2.Response]

URL = "https://issuer.example/token?hush"


@pytest.fixture
def answers() -> list[Answer]:
    """What is answered, in order."""
    return []


@pytest.fixture
async def http(answers: list[Answer]) -> AsyncIterator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(transport=httpx2.MockTransport(lambda _: answers.pop(0)())) as client:
        yield client


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    seconds: list[float] = []

    async def sleep(delay: float) -> None:
        seconds.append(delay)

    monkeypatch.setattr("app.providers.calls.asyncio.sleep", sleep)
    return seconds


class Streamed(httpx2.AsyncByteStream):
    """A body that is read from the network, and how much of it was."""

    def __init__(self, body: bytes, part: int = 16 * 1024) -> None:
        self._parts: Iterator[bytes] = (body[at : at + part] for at in range(0, len(body), part))
        self.read = 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for part in self._parts:
            self.read += 1
            yield part


def throttled(after: str, status: int = 429) -> Answer:
    return lambda: httpx2.Response(status, headers={"Retry-After": after})


def fine() -> httpx2.Response:
    return httpx2.Response(200, json={"a": 1})


def encoded(encoding: str | None, body: bytes) -> Streamed:
    packed = gzip.compress(body) if encoding == "gzip" else zlib.compress(body) if encoding else body
    return Streamed(packed)


@pytest.mark.parametrize("encoding", [None, "gzip", "deflate"])
async def test_an_answer_has_a_largest_size_decoded(
    http: httpx2.AsyncClient, answers: list[Answer], encoding: str | None
) -> None:
    headers = {"Content-Encoding": encoding} if encoding else {}
    fits, exceeds = encoded(encoding, b" " * LARGEST), encoded(encoding, b" " * (LARGEST * 20))
    answers[:] = [lambda: httpx2.Response(200, headers=headers, stream=fits)]
    assert len((await call(http, "GET", URL)).content) == LARGEST
    answers[:] = [lambda: httpx2.Response(200, headers=headers, stream=exceeds)]
    with pytest.raises(UnavailableError, match="answers with more than 1048576 bytes") as raised:
        await call(http, "GET", URL)
    assert "hush" not in str(raised.value)
    assert exceeds.read <= LARGEST // (16 * 1024) + 1


async def test_a_body_that_is_not_encoded_as_it_says_is_a_failure(
    http: httpx2.AsyncClient, answers: list[Answer]
) -> None:
    answers[:] = [lambda: httpx2.Response(200, headers={"Content-Encoding": "gzip"}, stream=Streamed(b"{}"))]
    with pytest.raises(UnavailableError, match="can't be reached: DecodingError"):
        await call(http, "GET", URL)


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(("after", "wait"), [("0", 0.0), ("1", 1.0), ("2", 2.0)])
async def test_a_moment_is_waited_for(
    http: httpx2.AsyncClient, answers: list[Answer], slept: list[float], status: int, after: str, wait: float
) -> None:
    answers[:] = [throttled(after, status), fine]
    assert (await call(http, "POST", URL)).json() == {"a": 1}
    assert slept == [wait]


async def test_a_call_is_repeated_once(http: httpx2.AsyncClient, answers: list[Answer], slept: list[float]) -> None:
    answers[:] = [throttled("1"), throttled("1")]
    with pytest.raises(UnavailableError, match="answers with 429") as raised:
        await call(http, "POST", URL)
    assert (len(slept), raised.value.retry_after) == (1, 1.0)


@pytest.mark.parametrize(
    ("after", "seconds"),
    [
        ("30", 30.0),
        ("9" * 30, MAX_WAIT_SECONDS),
        ("9" * 5000, MAX_WAIT_SECONDS),
        ("soon", None),
        ("-5", None),
        ("", None),
        ("Wed, 99 Foo 2026 00:00:00 GMT", None),
    ],
)
async def test_a_longer_wait_is_reported_within_limits(
    http: httpx2.AsyncClient, answers: list[Answer], slept: list[float], after: str, seconds: float | None
) -> None:
    answers[:] = [throttled(after)]
    with pytest.raises(UnavailableError) as raised:
        await call(http, "POST", URL)
    assert (raised.value.retry_after, slept) == (seconds, [])


async def test_a_wait_may_be_a_date(http: httpx2.AsyncClient, answers: list[Answer]) -> None:
    answers[:] = [throttled(format_datetime(datetime.now(UTC) + timedelta(minutes=10), usegmt=True), 503)]
    with pytest.raises(UnavailableError) as raised:
        await call(http, "POST", URL)
    assert raised.value.retry_after == pytest.approx(600, abs=60)


async def test_a_date_that_has_passed_is_now(
    http: httpx2.AsyncClient, answers: list[Answer], slept: list[float]
) -> None:
    answers[:] = [throttled("Wed, 21 Oct 2015 07:28:00 GMT"), fine]
    assert (await call(http, "POST", URL)).is_success
    assert slept == [0.0]


@pytest.mark.parametrize("status", [400, 500, 502])
async def test_other_answers_are_not_waited_for(
    http: httpx2.AsyncClient, answers: list[Answer], slept: list[float], status: int
) -> None:
    answers[:] = [throttled("0", status)]
    with pytest.raises(Exception, match=str(status)):
        await call(http, "POST", URL)
    assert slept == []


@pytest.mark.parametrize(
    ("happened", "reason"),
    [
        (ssl.SSLCertVerificationError(), "its certificate is refused: unable to get local issuer certificate"),
        (ssl.SSLError("tlsv1 alert"), "the TLS handshake failed"),
        (socket.gaierror(-2, "Name or service not known"), "its name does not resolve"),
        (ConnectionRefusedError(111, "refused"), "connection refused"),
        (TimeoutError(), "no answer in time"),
        (None, "ConnectError"),
    ],
)
async def test_why_nobody_answers_is_told(happened: Exception | None, reason: str) -> None:
    if isinstance(happened, ssl.SSLCertVerificationError):
        happened.verify_message = "unable to get local issuer certificate"

    def fail(_: httpx2.Request) -> httpx2.Response:
        raise httpx2.ConnectError("words that may hold hush") from happened

    async with httpx2.AsyncClient(transport=httpx2.MockTransport(fail)) as client:
        with pytest.raises(UnavailableError) as raised:
            await call(client, "GET", URL)
    assert str(raised.value) == f"https://issuer.example/token can't be reached: {reason}"
