"""What the routes of linking depend on: the service, limits, and the proof that a page of ours made the request."""

from __future__ import annotations

from typing import Annotated, cast

from fastapi import Depends, Request

from app.http.csrf import require_csrf
from app.http.ratelimit import limit
from app.linking.service import Linking

START = [Depends(limit("start", per_minute=20)), Depends(require_csrf)]
CHANGE = [Depends(limit("change", per_minute=30)), Depends(require_csrf)]
FINISH = [Depends(limit("finish", per_minute=20))]

UNKNOWN_STATES_PER_MINUTE = 600
"""How many unknown states are answered as such; a known state is never refused for the number of unknown ones."""


async def linking_of(request: Request) -> Linking:
    """Inject the app's one instance."""
    return cast("Linking", request.state.linking)


LinkingDep = Annotated[Linking, Depends(linking_of)]
