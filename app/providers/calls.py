"""Asks a provider over HTTPS, and tells a refusal from a failure of its own."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import httpx2

from app.providers.interface import RefusedError, UnavailableError

LATER = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS})
"""Statuses of 4xx that say nothing of the request, but to send it again later."""

LONGEST = 300
"""The most characters that are kept of a provider's words."""


async def ask(http: httpx2.AsyncClient, method: str, url: str, **request: Any) -> httpx2.Response:  # noqa: ANN401
    """Send a request."""
    try:
        answer = await http.request(method, url, **request)
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        raise UnavailableError(f"{_without_query(url)} can't be reached: {type(error).__name__}") from None
    if answer.is_client_error and answer.status_code not in LATER:
        raise _refusal_of(answer)
    if not answer.is_success:
        raise UnavailableError(f"{_without_query(url)} answers with {answer.status_code}")
    return answer


async def fetch(http: httpx2.AsyncClient, url: str) -> dict[str, object]:
    """Get a JSON object that is there for everyone."""
    try:
        return json_object(await ask(http, "GET", url))
    except RefusedError as error:
        raise UnavailableError(f"{_without_query(url)} answers with {error}") from None


def json_object(answer: httpx2.Response) -> dict[str, object]:
    """Read an answer's body."""
    try:
        document = answer.json()
    except (ValueError, RecursionError):
        raise UnavailableError(f"{_without_query(str(answer.url))} gives no JSON") from None
    if not isinstance(document, dict):
        raise UnavailableError(f"{_without_query(str(answer.url))} gives no JSON object")
    return document


def refusal(document: Mapping[str, object], otherwise: str) -> RefusedError:
    """Return the error that a document tells of (RFC 6749, section 5.2)."""
    return RefusedError(_line(document.get("error")) or otherwise, _line(document.get("error_description")))


def _refusal_of(answer: httpx2.Response) -> RefusedError:
    try:
        document = json_object(answer)
    except UnavailableError:
        document = {}
    return refusal(document, str(answer.status_code))


def _line(value: object) -> str | None:
    """Keep of a text what a line of the log can hold."""
    return "".join(filter(str.isprintable, value))[:LONGEST] if isinstance(value, str) else None


def _without_query(url: str) -> str:
    return url.partition("?")[0]
