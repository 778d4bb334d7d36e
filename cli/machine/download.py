"""Downloads that are verified, go on where they broke off, and give up soon where nothing comes."""

from __future__ import annotations

import hashlib
import ssl
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import httpx
import truststore

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_ATTEMPTS = 3
_TEXT_BYTES = 1 << 20


class DownloadError(Exception):
    """Nothing usable came, and why."""


class ChecksumError(DownloadError):
    """What came is not what was published."""


@dataclass(frozen=True)
class Limits:
    """When a download is given up."""

    connect: float = 3.0
    silence: float = 5.0
    window: float = 8.0
    speed: float = 400_000.0


@dataclass(frozen=True)
class Downloader:
    """Fetches files over HTTPS."""

    limits: Limits = field(default_factory=Limits)
    context: ssl.SSLContext = field(default_factory=lambda: truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT))

    def text(self, url: str) -> str:
        """Fetch a short text."""
        _require_https(url)
        try:
            with self._client() as client, client.stream("GET", url) as answer:
                answer.raise_for_status()
                return self._read_text(answer, url)
        except httpx.HTTPError as error:
            raise DownloadError(_reason(url, error)) from error

    def _read_text(self, answer: httpx.Response, url: str) -> str:
        began, content = time.monotonic(), bytearray()
        for chunk in answer.iter_raw():
            content += chunk
            if len(content) > _TEXT_BYTES or time.monotonic() - began > self.limits.window:
                raise DownloadError(f"{url} is too long or comes too slowly for what it should be.")
        return content.decode(errors="replace")

    def file(self, url: str, target: Path, *, sha256: str, report: Callable[[int, int], None]) -> None:
        """Fetch a file whose content is known; it is in place only once it is complete and verified."""
        _require_https(url)
        part = target.with_name(target.name + ".part")
        target.parent.mkdir(parents=True, exist_ok=True)
        self._fetch_all(url, part, report)
        if _hash(part) != sha256:
            part.unlink()
            raise ChecksumError(f"{url} doesn't have the published checksum; it was deleted.")
        part.replace(target)

    def _fetch_all(self, url: str, part: Path, report: Callable[[int, int], None]) -> None:
        for left in reversed(range(_ATTEMPTS)):
            try:
                with self._client() as client:
                    self._fetch(client, url, part, report)
            except (httpx.TransportError, httpx.HTTPStatusError) as error:
                if not left or not _may_pass(error):
                    raise DownloadError(_reason(url, error)) from error
            else:
                return

    def _fetch(self, client: httpx.Client, url: str, part: Path, report: Callable[[int, int], None]) -> None:
        have = part.stat().st_size if part.is_file() else 0
        headers = {"Range": f"bytes={have}-"} if have else {}
        with client.stream("GET", url, headers=headers) as answer:
            if answer.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
                return  # all of it is there already
            answer.raise_for_status()
            if answer.status_code != httpx.codes.PARTIAL_CONTENT:
                have = 0
            total = have + int(answer.headers.get("Content-Length", 0))
            pace = _Pace(self.limits)
            with part.open("ab" if have else "wb") as file:
                # As they come: waiting for chunks of a size would hide a slow host, and lose them at a break.
                for chunk in answer.iter_raw():
                    file.write(chunk)
                    pace.add(len(chunk), url)
                    report(file.tell(), total)

    def _client(self) -> httpx.Client:
        timeout = httpx.Timeout(self.limits.silence, connect=self.limits.connect)
        # As it is: an encoding on the way would change the bytes that the checksum is of.
        headers = {"Accept-Encoding": "identity"}
        return httpx.Client(verify=self.context, timeout=timeout, headers=headers, follow_redirects=True)


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
            raise DownloadError(f"{url} comes at only {speed / 1000:.0f} kB/s.")
        self._since, self._bytes = time.monotonic(), 0


def _may_pass(error: httpx.HTTPError) -> bool:
    """Tell whether another attempt makes sense: not where the host is out of reach or has no such file."""
    if isinstance(error, httpx.HTTPStatusError):
        return error.response.is_server_error
    return not isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.ReadTimeout)


def _reason(url: str, error: httpx.HTTPError) -> str:
    if isinstance(error, httpx.HTTPStatusError):
        return f"{url} answers {error.response.status_code}."
    return f"{url} can't be read: {str(error) or type(error).__name__}."


def _require_https(url: str) -> None:
    if not url.startswith("https://"):
        raise DownloadError(f"{url} is refused: only https:// is trusted with programs.")


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
