"""Times in words, and what they say of an account, since the server doesn't know where a person's clock stands."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from markupsafe import Markup

if TYPE_CHECKING:
    from app.linking.schemas import ConnectionInfo

_UNITS = (("day", timedelta(days=1)), ("hour", timedelta(hours=1)), ("minute", timedelta(minutes=1)))
_FAR = timedelta(days=14)


def moment(when: datetime, now: datetime | None = None) -> Markup:
    """Write a time for people and for machines."""
    when = when.astimezone(UTC)
    distance = when - (now or datetime.now(UTC))
    exact = f"{when:%-d %B %Y, %H:%M} UTC"
    near = Markup('{} <span class="exact">{}</span>').format(_near(distance), exact)
    words = near if abs(distance) < _FAR else exact
    return Markup('<time datetime="{}">{}</time>').format(when.isoformat(timespec="seconds"), words)


def _near(distance: timedelta) -> str:
    for name, unit in _UNITS:
        if count := abs(distance) // unit:
            words = f"{count} {name}{'s' if count > 1 else ''}"
            return f"in {words}" if distance > timedelta() else f"{words} ago"
    return "in less than a minute" if distance > timedelta() else "just now"


@dataclass(frozen=True)
class Standing:
    """Where an account stands, for people."""

    word: str
    look: str
    hint: str = ""


def standing(connection: ConnectionInfo, now: datetime | None = None) -> Standing:
    """Tell where an account stands."""
    title, again = connection.title, "Connect the account again to go on using it."
    if connection.status != "active":
        return Standing(connection.status.capitalize(), connection.status, f"{title} gives no access any more. {again}")
    if connection.expires_at is None or connection.expires_at > (now or datetime.now(UTC)):
        return Standing("Active", "active")
    hint = (
        f"{title} has not renewed the access yet, and Dashtam goes on trying. If it lasts, connect the account again."
    )
    return Standing("Not renewed", "expired", hint)
