"""What a refusal to link, refresh or disconnect is answered with: a problem, or a page for a browser."""

from __future__ import annotations

import math
from dataclasses import replace
from http import HTTPStatus

import structlog
from fastapi import Request

from app.http import metrics
from app.http.pages import Link
from app.http.problems import Answer, Problem
from app.linking.errors import LinkingError
from app.linking.outcomes import Step, page_of
from app.providers.errors import RefusedError

log = structlog.get_logger(__name__)

_STEPS: dict[str, Step] = {"refresh": "refresh", "disconnect": "disconnect"}


def describe(request: Request, error: LinkingError) -> Answer:
    """Count and log the refusal, and describe it."""
    metrics.count_linking(error.kind)
    step = "disconnect" if request.method == "DELETE" else _STEPS.get(request.url.path.rpartition("/")[2], "link")
    log.warning("A person's request was refused", step=step, kind=error.kind, reason=error.detail)
    words = str(error.__cause__) if isinstance(error.__cause__, RefusedError) else ""
    page = page_of(error.kind, error.status, step=step, words=words)
    if step == "disconnect" and error.status == HTTPStatus.BAD_GATEWAY:
        page = replace(page, way_out=Link("Forget the account", f"{request.url.path}?forget=true"))
    kind = f"urn:dashtam:problem:{error.kind}"
    problem = Problem(type=kind, title=error.title, status=error.status, detail=error.detail)
    headers = {} if error.retry_after is None else {"Retry-After": f"{math.ceil(error.retry_after)}"}
    return Answer(problem, replace(page, reason=error.detail), headers)
