"""People who use an environment through its edge all the time, and what each of their requests came to.

A browser that knows several addresses of a name tries the next where one refuses a connection, and so do these people.
Whatever comes after that, without a whole answer of the expected status, is a failed request; none is repeated.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import ssl
import threading
import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from http.cookies import SimpleCookie
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

CONNECT_SECONDS = 3.0
"""After which another address is tried: an edge whose node is lost refuses nothing."""
ANSWER_SECONDS = 20.0
REQUESTS = 40
"""Of one connection: a browser's ends when the person has read enough."""
WRITES_PER_MINUTE = 15
"""Of one person; the service allows 20, and 200 of an address. That of an edge would have more where one is lost."""

API = "/api/v1"
READS = (
    *("/", "/static/style.css", f"{API}/providers", "/health", "/health", "/static/style.css", "/health"),
    *(f"{API}/connections", f"{API}/providers", "/health", "/static/style.css", f"{API}/providers", "/health"),
)
"""Two of 13 ask the database. Those take 3 ms of the app's processor time; a file takes 0.9 ms, `/health` 0.5 ms."""
START = f"{API}/providers/{{provider}}/connections"


@dataclass(frozen=True)
class Target:
    """The edge of an environment."""

    addresses: Sequence[str]
    """Of its nodes."""
    port: int
    hostname: str
    """What its certificate must be for."""
    ca_file: Path
    people: Sequence[str]
    """Their own addresses."""
    provider: str | None = None
    """At which people start to link accounts; None: they only read."""
    reads: Sequence[str] = READS


@dataclass(frozen=True)
class Failure:
    """A request that failed."""

    began: float
    ended: float
    address: str
    request: str
    reason: str


@dataclass
class Tally:
    """What all requests came to."""

    answered: Counter[str] = field(default_factory=Counter)
    """By method and status."""
    failures: list[Failure] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    """That each answer took."""
    elsewhere: int = 0
    """Connections that one address refused and another took."""

    @property
    def requests(self) -> int:
        """How many ended, in whatever way."""
        return self.answered.total() + len(self.failures)

    def slowest(self, share: float) -> float:
        """Return the seconds that this share of the answers took at most."""
        return sorted(self.seconds)[int(share * (len(self.seconds) - 1))]

    def __str__(self) -> str:
        counts = ", ".join(f"{kind}: {count}" for kind, count in sorted(self.answered.items()))
        pace = f"half within {self.slowest(0.5):.3f} s, 99 % within {self.slowest(0.99):.3f} s" if self.seconds else ""
        failed = "".join(
            f"\n  {one.began:.3f}-{one.ended:.3f} {one.address} {one.request}: {one.reason}"
            for one in self.failures[:20]
        )
        return f"{self.requests} requests ({counts}), {len(self.failures)} failed, {pace}{failed}"


@dataclass
class Load:
    """People at work, in a thread of their own."""

    tally: Tally
    _ended: threading.Event

    def wait(self, requests: int, seconds: float = 300) -> None:
        """Wait until so many more requests have ended."""
        goal, deadline = self.tally.requests + requests, time.monotonic() + seconds
        while self.tally.requests < goal:
            assert time.monotonic() < deadline, f"the load is too slow: {self.tally}"
            assert not self._ended.wait(0.1), "the load has ended"


@contextmanager
def load(target: Target) -> Iterator[Load]:
    """Keep people at work as long as the context lasts; all of their requests have ended when it is left."""
    tally, stop, ended = Tally(), threading.Event(), threading.Event()

    def work() -> None:
        try:
            asyncio.run(_all(target, tally, stop))
        finally:
            ended.set()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield Load(tally, ended)
    finally:
        stop.set()
        thread.join()


async def _all(target: Target, tally: Tally, stop: threading.Event) -> None:
    context = ssl.create_default_context(cafile=str(target.ca_file))
    turn = itertools.count()
    await asyncio.gather(*(_Person(target, own, context, tally, turn).work(stop) for own in target.people))


class RequestError(Exception):
    """There was no whole answer, or not the expected one."""


@dataclass
class _Person:
    target: Target
    own: str
    context: ssl.SSLContext
    tally: Tally
    turn: Iterator[int]
    cookie: str = ""
    proof: tuple[str, str] | None = None
    written: float = 0.0
    _left: int = 0
    _address: str = ""
    _streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def work(self, stop: threading.Event) -> None:
        for path in itertools.cycle(self.target.reads):
            if stop.is_set():
                break
            await self._do("GET", path)
            if self.target.provider and time.monotonic() - self.written > 60 / WRITES_PER_MINUTE:
                await self._write(self.target.provider)
        self._leave()

    async def _write(self, provider: str) -> None:
        if self.proof is None:
            body = await self._do("GET", f"{API}/session")
            if body is None:
                return
            session = json.loads(body)
            self.proof = session["csrf_header"], session["csrf_token"]
        self.written = time.monotonic()
        await self._do("POST", START.format(provider=provider), HTTPStatus.CREATED)

    async def _do(self, method: str, path: str, expected: int = HTTPStatus.OK) -> bytes | None:
        start = time.monotonic()
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                status, body = await self._request(method, path, expected)
        except (OSError, EOFError, ssl.SSLError, RequestError, ValueError) as error:
            reason = f"{type(error).__name__}: {error}"
            self.tally.failures.append(Failure(start, time.monotonic(), self._address, f"{method} {path}", reason))
            self._leave()
            await asyncio.sleep(0.05)
            return None
        self.tally.answered[f"{method} {status}"] += 1
        self.tally.seconds.append(time.monotonic() - start)
        return body

    async def _request(self, method: str, path: str, expected: int) -> tuple[int, bytes]:
        if self._streams is None or not self._left:
            self._leave()
            self._streams, self._left = await self._connect(), REQUESTS
        self._left -= 1
        reader, writer = self._streams
        writer.write(self._head(method, path))
        status, headers, cookies = _parse(await reader.readuntil(b"\r\n\r\n"))
        body = await reader.readexactly(int(headers["content-length"]))
        self.cookie = "; ".join(cookies) or self.cookie
        if headers.get("connection") == "close":
            self._leave()
        if status != expected:
            raise RequestError(f"{status} {body[:200]!r}")
        return status, body

    def _head(self, method: str, path: str) -> bytes:
        port = "" if self.target.port == 443 else f":{self.target.port}"
        lines = [f"{method} {path} HTTP/1.1", f"Host: {self.target.hostname}{port}"]
        lines += [f"Cookie: {self.cookie}"] if self.cookie else []
        if method == "POST":
            lines += ["Content-Length: 0", *([": ".join(self.proof)] if self.proof else [])]
        return "\r\n".join([*lines, "", ""]).encode()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        first, count = next(self.turn), len(self.target.addresses)
        refused: Exception = RequestError("there is no address")
        for number in range(count):
            self._address = self.target.addresses[(first + number) % count]
            try:
                async with asyncio.timeout(CONNECT_SECONDS):
                    reader, writer = await asyncio.open_connection(
                        self._address, self.target.port, local_addr=(self.own, 0)
                    )
            except OSError as error:  # a timeout is one too
                refused = error
                continue
            self.tally.elsewhere += number > 0
            try:
                await writer.start_tls(self.context, server_hostname=self.target.hostname)
            except BaseException:
                writer.transport.abort()
                raise
            return reader, writer
        raise refused

    def _leave(self) -> None:
        if self._streams is not None:
            self._streams[1].transport.abort()  # a lost node takes no part in the end of a TLS connection
            self._streams = None


def _parse(head: bytes) -> tuple[int, dict[str, str], list[str]]:
    """Return status, headers by name in lower case, and cookies as they are sent back."""
    first, *lines = head.decode().split("\r\n")[:-2]
    pairs = [(name.lower(), value.strip()) for name, _, value in (line.partition(":") for line in lines)]
    cookies = [value for name, value in pairs if name == "set-cookie"]
    parsed = [f"{one.key}={one.coded_value}" for text in cookies for one in SimpleCookie(text).values()]
    return int(first.split()[1]), dict(pairs), parsed
