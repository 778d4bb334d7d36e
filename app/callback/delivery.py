"""Delivers a redirect from the callback server to the app, and reads the app's answer."""

from __future__ import annotations

import re
from dataclasses import replace
from http import HTTPStatus

import httpx2
import structlog
from pydantic import BaseModel, ValidationError
from starlette.responses import RedirectResponse, Response

from app.http.middleware import request_id_header
from app.http.pages import Page
from app.linking.outcomes import page_of

PATH = "/internal/oauth/callback"

_PROBLEM = "urn:dashtam:problem:"
_CONTINUE = re.compile(r"/finish\?receipt=[A-Za-z0-9_-]{16,256}")

log = structlog.get_logger(__name__)


class Answer(BaseModel):
    """The app's answer: where the browser continues, or problem details."""

    continue_url: str = ""
    type: str = ""
    title: str = ""
    detail: str = ""


async def deliver(app: httpx2.AsyncClient, redirect: dict[str, str], public_url: str) -> Response | Page:
    """Deliver a redirect; return the way on, or a page about what went wrong."""
    try:
        response = await app.post(PATH, json=redirect, headers=request_id_header())
    except httpx2.HTTPError as error:
        log.warning("The app cannot be reached", url=str(app.base_url), reason=type(error).__name__)
        return page_of("app-unavailable", HTTPStatus.BAD_GATEWAY)
    answer = _read(response)
    if response.is_success and is_ours(answer.continue_url, public_url):
        return RedirectResponse(answer.continue_url, HTTPStatus.SEE_OTHER)
    return _failure(response, answer, redirect)


def is_ours(url: str, public_url: str) -> bool:
    """Return whether an address is the app's page where linking ends: a person is sent nowhere else."""
    return url.startswith(public_url) and _CONTINUE.fullmatch(url, len(public_url)) is not None


def _read(response: httpx2.Response) -> Answer:
    try:
        return Answer.model_validate_json(response.content)
    except ValidationError:
        return Answer()


def _failure(response: httpx2.Response, answer: Answer, redirect: dict[str, str]) -> Page:
    kind = answer.type.removeprefix(_PROBLEM)
    if response.status_code == HTTPStatus.TOO_MANY_REQUESTS:
        return page_of("too-many", HTTPStatus.TOO_MANY_REQUESTS)
    if response.is_error and kind != answer.type:
        log.info("The app refused the redirect", kind=kind)
        status = HTTPStatus.BAD_REQUEST if response.is_client_error else HTTPStatus.BAD_GATEWAY
        words = ": ".join(redirect[part] for part in ("error", "error_description") if part in redirect)
        # Shown only if the app repeats them, as it does for an authorization that it knows: anybody can write a link
        # with words of his own.
        quote = words if answer.detail == words else ""
        page = page_of(kind, status, words=quote, otherwise=(answer.title, answer.detail))
        return replace(page, reason=answer.detail)
    log.error("The app gave an unexpected answer", status=response.status_code)
    return page_of("app-failed", HTTPStatus.BAD_GATEWAY)
