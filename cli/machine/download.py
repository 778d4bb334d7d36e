"""Downloads that are verified, continue after an interruption, and are given up soon where they are slow."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path

import httpx2
import truststore

from cli.core.hashing import file_sha256

_ATTEMPTS = 3
_TEXT_BYTES = 1 << 20

_FAILURES = (httpx2.HTTPError, httpx2.InvalidURL, ImportError, ValueError)
"""What a download raises; the last two already where the client is made, for a proxy's URL that it can't use."""


class DownloadError(Exception):
    """A download failed; the message has the cause."""


class ChecksumError(DownloadError):
    """The file is not the published one."""


@dataclass(frozen=True)
class Limits:
    """When a download is given up: seconds to connect, seconds without a byte, and bytes per second over a window."""

    connect: float = 3.0
    silence: float = 5.0
    window: float = 8.0
    speed: float = 400_000.0


@dataclass(frozen=True)
class Downloader:
    """Downloads over HTTPS; servers are verified by the machine's own trust store."""

    limits: Limits = field(default_factory=Limits)
    context: ssl.SSLContext = field(default_factory=lambda: truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT))

    def text(self, url: str) -> str:
        """Download a short text."""
        _require_https(url)
        try:
            with self._client() as client, client.stream("GET", url) as answer:
                answer.raise_for_status()
                return self._read_text(answer, url)
        except _FAILURES as error:
            raise DownloadError(_reason(url, error)) from error

    def _read_text(self, answer: httpx2.Response, url: str) -> str:
        began, content = time.monotonic(), bytearray()
        for chunk in answer.iter_raw():
            content += chunk
            if len(content) > _TEXT_BYTES or time.monotonic() - began > self.limits.window:
                raise DownloadError(f"{url} is too long, or its download too slow, for a list of checksums.")
        return content.decode(errors="replace")

    def file(self, url: str, target: Path, *, sha256: str, report: Callable[[int, int], None]) -> None:
        """Download a file with a known SHA-256 (in hexadecimal), which appears only once it is complete and verified.

        What came before an interruption stays beside it. `report` gets the bytes so far and in all (0 if unknown).
        """
        _require_https(url)
        part = target.with_name(target.name + ".part")
        target.parent.mkdir(parents=True, exist_ok=True)
        self._fetch_all(url, part, report)
        if file_sha256(part) != sha256:
            part.unlink()
            raise ChecksumError(f"{url} doesn't have the published checksum; it was deleted.")
        part.replace(target)

    def _fetch_all(self, url: str, part: Path, report: Callable[[int, int], None]) -> None:
        for left in reversed(range(_ATTEMPTS)):
            try:
                with self._client() as client:
                    self._fetch(client, url, part, report)
            except _FAILURES as error:
                if not left or not _may_pass(error):
                    raise DownloadError(_reason(url, error)) from error
            else:
                return

    def _fetch(self, client: httpx2.Client, url: str, part: Path, report: Callable[[int, int], None]) -> None:
        have = part.stat().st_size if part.is_file() else 0
        headers = {"Range": f"bytes={have}-"} if have else {}
        with client.stream("GET", url, headers=headers) as answer:
            if answer.status_code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
                return  # all of it is there already
            answer.raise_for_status()
            if answer.status_code != HTTPStatus.PARTIAL_CONTENT:
                have = 0
            total = have + int(answer.headers.get("Content-Length", 0))
            pace = _Pace(self.limits)
            with part.open("ab" if have else "wb") as file:
                # As they come: waiting for chunks of a size would hide a slow host, and lose them at an interruption.
                for chunk in answer.iter_raw():
                    file.write(chunk)
                    pace.add(len(chunk), url)
                    report(file.tell(), total)

    def _client(self) -> httpx2.Client:
        timeout = httpx2.Timeout(self.limits.silence, connect=self.limits.connect)
        # An encoding on the way would change the bytes that the checksum is of.
        headers = {"Accept-Encoding": "identity"}
        return httpx2.Client(verify=self.context, timeout=timeout, headers=headers, follow_redirects=True)


class _Pace:
    """Ends a download that is too slow to be worth waiting for."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._since = time.monotonic()
        self._bytes = 0

    def add(self, count: int, url: str) -> None:
        self._bytes += count
        elapsed = time.monotonic() - self._since
        if elapsed < self._limits.window:
            return
        speed = self._bytes / elapsed
        if speed < self._limits.speed:
            raise DownloadError(f"{url} is downloaded at only {speed / 1000:.0f} kB/s.")
        self._since, self._bytes = time.monotonic(), 0


def _may_pass(error: Exception) -> bool:
    """Return whether another attempt makes sense: not where the host can't be reached or lacks the file."""
    if isinstance(error, httpx2.HTTPStatusError):
        return error.response.is_server_error
    lost = httpx2.ConnectError | httpx2.ConnectTimeout | httpx2.ReadTimeout
    return isinstance(error, httpx2.TransportError) and not isinstance(error, lost)


def _reason(url: str, error: Exception) -> str:
    if isinstance(error, httpx2.HTTPStatusError):
        return f"{url} answers {error.response.status_code}."
    return f"{url} can't be read: {str(error) or type(error).__name__}."


def _require_https(url: str) -> None:
    if not url.startswith("https://"):
        raise DownloadError(f"{url} is refused: only https:// is trusted with programs.")
