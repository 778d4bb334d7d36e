"""Calls to a provider over HTTPS: a refusal and a failure of the provider raise different errors."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import httpx2

from app.providers.errors import RefusedError, UnavailableError

RETRYABLE = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS})
"""Statuses of 4xx that don't refuse the request, but ask to send it again later."""

LONGEST = 300
"""The most characters that are stored of a provider's words."""


async def call(http: httpx2.AsyncClient, method: str, url: str, **request: Any) -> httpx2.Response:  # noqa: ANN401
    """Send a request with httpx2's arguments; return a successful response, or raise a `ProviderError`."""
    try:
        answer = await http.request(method, url, **request)
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        raise UnavailableError(f"{_without_query(url)} can't be reached: {type(error).__name__}") from None
    if answer.is_client_error and answer.status_code not in RETRYABLE:
        raise _refusal_of(answer)
    if not answer.is_success:
        raise UnavailableError(f"{_without_query(url)} answers with {answer.status_code}")
    return answer


async def fetch(http: httpx2.AsyncClient, url: str) -> dict[str, object]:
    """Get a JSON object that is there for everyone, so that a refusal is a failure too."""
    try:
        return json_object(await call(http, "GET", url))
    except RefusedError as error:
        raise UnavailableError(f"{_without_query(url)} answers with {error}") from None


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
    """Return the error in a document (RFC 6749, section 5.2), with the code `otherwise` where it has none."""
    return RefusedError(_line(document.get("error")) or otherwise, _line(document.get("error_description")))


def _refusal_of(answer: httpx2.Response) -> RefusedError:
    try:
        document = json_object(answer)
    except UnavailableError:
        document = {}
    return refusal(document, str(answer.status_code))


def _line(value: object) -> str | None:
    """Return the printable part of a text, short enough for a line of the log."""
    return "".join(filter(str.isprintable, value))[:LONGEST] if isinstance(value, str) else None


def _without_query(url: str) -> str:
    return url.partition("?")[0]
