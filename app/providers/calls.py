"""Calls to a provider over HTTPS: a refusal and a failure of the provider raise different errors."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl

import httpx2

from app.core.dependency_errors import explain
from app.providers.errors import RefusedError, UnavailableError

RETRYABLE = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS})
"""Statuses of 4xx that don't refuse the request, but ask to send it again later."""

MAX_ERROR_TEXT = 300
"""Characters that are kept of a provider's words."""

LARGEST = 1024 * 1024
"""Bytes of an answer, after it is decompressed: no token, key set or metadata is larger."""

SHORT_WAIT_SECONDS = 2.0
"""What a call itself waits where a provider asks to wait (`Retry-After`)."""

MAX_WAIT_SECONDS = 3600.0
"""After which a provider is called again, whatever it asks for."""

_FORMS = ("application/x-www-form-urlencoded", "text/plain")
_CODES = ("code", "errcode", "error_code", "errorCode", "id")
_REASONS = ("error_description", "message", "error_message", "errorMessage", "errmsg", "detail", "title")
_KEPT = ("Content-Type", "Retry-After")


async def call(http: httpx2.AsyncClient, method: str, url: str, **request: Any) -> httpx2.Response:  # noqa: ANN401
    """Send a request with httpx2's arguments; return a successful response, or raise a `ProviderError`.

    It is sent once more where the provider asks to wait for a moment only.
    """
    answer = await _send(http, method, url, **request)
    wait = _retry_after(answer)
    if wait is not None and wait <= SHORT_WAIT_SECONDS:
        await asyncio.sleep(wait)
        answer = await _send(http, method, url, **request)
        wait = _retry_after(answer)
    if answer.is_client_error and answer.status_code not in RETRYABLE:
        raise _refusal_of(answer)
    if not answer.is_success:
        raise UnavailableError(f"{_without_query(url)} answers with {answer.status_code}", wait)
    return answer


async def fetch(http: httpx2.AsyncClient, url: str) -> dict[str, object]:
    """Get a JSON object that is there for everyone, so that a refusal is a failure too."""
    try:
        return json_object(await call(http, "GET", url))
    except RefusedError as error:
        raise UnavailableError(f"{_without_query(url)} answers with {error}") from None


def token_document(answer: httpx2.Response) -> dict[str, object]:
    """Return a token endpoint's answer: a JSON object, or a form, as GitHub and older providers send one."""
    try:
        return json_object(answer)
    except UnavailableError:
        kind = answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        form = dict(parse_qsl(answer.text)) if kind in _FORMS else {}
        if not form:
            raise
        return {**form}


def json_object(answer: httpx2.Response) -> dict[str, object]:
    """Return a response's body, which must be a JSON object."""
    try:
        document = answer.json()
    except (ValueError, RecursionError):
        raise UnavailableError(f"{_without_query(str(answer.url))} gives no JSON") from None
    if not isinstance(document, dict):
        raise UnavailableError(f"{_without_query(str(answer.url))} gives no JSON object")
    return document


def refusal(document: Mapping[str, object], otherwise: str) -> RefusedError:
    """Return the error in a document, with the code `otherwise` where it has none."""
    code, description = words(document)
    return RefusedError(code or otherwise, description)


def words(document: Mapping[str, object]) -> tuple[str | None, str | None]:
    """Return a provider's error code and reason: of RFC 6749, section 5.2, or as some name or wrap them instead.

    Facebook has an object under `error`; JSON:API has a list of them; WeChat has `errcode`.
    """
    error = document.get("error") or document.get("errors")
    inner = error[0] if isinstance(error, list) and error else error
    parts = [document, inner] if isinstance(inner, dict) else [document]
    code = _line(inner) or _first(parts, _CODES, (str, int))
    return code, _first(parts, _REASONS, (str,))


async def _send(http: httpx2.AsyncClient, method: str, url: str, **request: Any) -> httpx2.Response:  # noqa: ANN401
    content = bytearray()
    try:
        async with http.stream(method, url, **request) as answer:
            async for part in answer.aiter_bytes():
                content += part
                if len(content) > LARGEST:
                    raise UnavailableError(f"{_without_query(url)} answers with more than {LARGEST} bytes")
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        raise UnavailableError(f"{_without_query(url)} can't be reached: {_reason(error)}") from None
    headers = {name: answer.headers[name] for name in _KEPT if name in answer.headers}
    return httpx2.Response(answer.status_code, headers=headers, content=bytes(content), request=answer.request)


def _reason(error: Exception) -> str:
    failure = explain(error)
    return failure.reason if failure.expected else type(error).__name__


def _retry_after(answer: httpx2.Response) -> float | None:
    """Return the seconds that an answer asks to wait (RFC 9110, section 10.2.3): it gives a number, or a date."""
    asked = answer.headers.get("Retry-After", "").strip()
    if answer.status_code not in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE) or not asked:
        return None
    try:
        seconds = (
            float(asked) if asked.isdecimal() else (parsedate_to_datetime(asked) - datetime.now(UTC)).total_seconds()
        )
    except (ValueError, TypeError, OverflowError):
        return None
    return min(max(seconds, 0.0), MAX_WAIT_SECONDS)


def _refusal_of(answer: httpx2.Response) -> RefusedError:
    try:
        document = token_document(answer)
    except UnavailableError:
        document = {}
    return refusal(document, str(answer.status_code))


def _first(parts: Iterable[Mapping[str, object]], names: Iterable[str], kinds: Collection[type]) -> str | None:
    found = (part.get(name) for name in names for part in parts)
    return next((_line(str(one)) for one in found if one and type(one) in kinds), None)


def _line(value: object) -> str | None:
    """Return the printable part of a text, short enough for a line of the log."""
    return "".join(filter(str.isprintable, value))[:MAX_ERROR_TEXT] if isinstance(value, str) else None


def _without_query(url: str) -> str:
    return url.partition("?")[0]
