"""Bounded waits for the services that start beside this one."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

from app.core.dependency_errors import Failure, explain
from app.core.errors import ServiceError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

INTERVAL = 0.1
"""Seconds between two attempts."""

ATTEMPT_TIMEOUT = 5.0
"""Seconds given to one attempt."""

log = structlog.get_logger(__name__)


async def wait_for(what: str, attempt: Callable[[], Awaitable[object]], *, timeout: float) -> None:  # noqa: ASYNC109
    """Try until it works."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + timeout
    told: Failure | None = None
    while (failure := await _try(attempt, min(deadline, loop.time() + ATTEMPT_TIMEOUT))) is not None:
        if failure.permanent:
            raise ServiceError(f"Cannot use {what}: {failure.reason}")
        if loop.time() + INTERVAL >= deadline:
            cut_off = loop.time() >= deadline  # says less than the failure before
            raise ServiceError(f"{what} is not ready after {timeout:g} s: {((cut_off and told) or failure).reason}")
        if failure != told:
            log.info(f"Waiting for {what}", reason=failure.reason)
            told = failure
        await asyncio.sleep(INTERVAL)


async def _try(attempt: Callable[[], Awaitable[object]], deadline: float) -> Failure | None:
    try:
        async with asyncio.timeout_at(deadline):
            await attempt()
    except Exception as error:
        return explain(error)
    return None
