"""Why an account is not linked, refreshed or disconnected."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from http import HTTPStatus


class LinkingError(Exception):
    """It can't be done, for a reason that is part of the flow; holds nothing secret.

    Args:
        kind: Names the reason; the problem's type is `urn:dashtam:problem:<kind>`.
        status: HTTP status.
        title: The reason, short.
        detail: The reason and the way out.
    """

    def __init__(self, kind: str, status: HTTPStatus, title: str, detail: str) -> None:
        super().__init__(f"{kind}: {detail}")
        self.kind = kind
        self.status = status
        self.title = title
        self.detail = detail
