"""A person's session: a signed cookie that only this host gets, over HTTPS, and no script reads."""

from __future__ import annotations

import secrets
import time
import uuid
from dataclasses import dataclass
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from fastapi import Depends, Request
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware

from app.core.settings import AppSettings

HTTPS = 443
DAY = 24 * 60 * 60
LIFETIME = 30 * DAY
"""Seconds after which an unused session ends; use renews it once a day."""

MAX_NOTICES = 3
MAX_NOTICE = 300
"""The cookie holds the notices, and browsers drop one of more than 4 KB."""

Kind = Literal["good", "bad"]


@dataclass(frozen=True)
class Notice:
    """Something that the next page shows once."""

    text: str
    kind: Kind


def cookie_name(public_url: str) -> str:
    """Return the cookie's name: of this app alone among those of one host, since cookies know no ports.

    Its prefix binds it to the host and to HTTPS (RFC 6265bis, section 4.1.3.2).
    """
    return f"__Host-dashtam-{urlsplit(public_url).port or HTTPS}"


class Session:
    """A person's session, made where there is none; `is_new` says whether the request brought none."""

    def __init__(self, content: dict[str, Any]) -> None:
        self._content = content
        self.is_new = "id" not in content
        if self.is_new:
            content.update(id=secrets.token_urlsafe(32), owner=str(uuid.uuid4()), csrf=secrets.token_urlsafe(32))
        if content.get("day") != (today := int(time.time() // DAY)):
            content["day"] = today  # any change signs the cookie again, with its whole lifetime ahead

    @property
    def id(self) -> str:
        """What authorizations are bound to; 256 bits."""
        return str(self._content["id"])

    @property
    def owner(self) -> uuid.UUID:
        """The person."""
        return uuid.UUID(self._content["owner"])

    @property
    def csrf(self) -> str:
        """What a form of ours sends back; 256 bits."""
        return str(self._content["csrf"])

    def notify(self, text: str, kind: Kind = "good") -> None:
        """Show something on the next page."""
        before = self._content.get("notices", [])[1 - MAX_NOTICES :]
        self._content["notices"] = [*before, [text[:MAX_NOTICE], kind]]

    def notices(self) -> list[Notice]:
        """Return and remove the notices."""
        return [Notice(text, kind) for text, kind in self._content.pop("notices", [])]


async def session_of(request: Request) -> Session:
    """Inject the session; FastAPI calls it once a request, in a thread if it were no coroutine."""
    return Session(request.session)


SessionDep = Annotated[Session, Depends(session_of)]


def session_middleware(settings: AppSettings) -> Middleware:
    """Return the middleware that gives each request a session."""
    return Middleware(
        SessionMiddleware,
        secret_key=settings.secret_key.get_secret_value(),
        session_cookie=cookie_name(settings.public_url),
        max_age=LIFETIME,
        same_site="lax",  # strict would withhold it where a provider sends the person back
        https_only=True,
    )
