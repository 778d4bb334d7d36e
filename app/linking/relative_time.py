"""Times relative to now, and an account's status in words: the server doesn't know a person's time zone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from markupsafe import Markup

from app.linking.schemas import ConnectionInfo

_UNITS = (("day", timedelta(days=1)), ("hour", timedelta(hours=1)), ("minute", timedelta(minutes=1)))
_FAR = timedelta(days=14)

WARNING = timedelta(days=2)
"""How long before its end the page warns of it."""


def relative_time(when: datetime, now: datetime) -> Markup:
    """Return a `time` element: the exact time, after words if it is near."""
    when = when.astimezone(UTC)
    distance = when - now
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
    """An account's status for people: a word, the class of its style, and what to do if something is wrong.

    `ended` says that its access has ended, though nobody took it back.
    """

    word: str
    look: str
    hint: str = ""
    ended: bool = False


def standing(connection: ConnectionInfo, now: datetime) -> Standing:
    """Describe an account's status; access that ended and was not renewed is not shown as active."""
    title, again = connection.title, "Connect the account again to go on using it."
    if connection.status != "active":
        return Standing(connection.status.capitalize(), connection.status, f"{title} gives no access any more. {again}")
    if connection.expires_at is None or connection.expires_at > now:
        if connection.link_ends_at is None or connection.link_ends_at > now + WARNING:
            return Standing("Active", "active")
        return Standing("Ends soon", "expired", f"{title} ends this link soon, however often it is refreshed. {again}")
    hint = (
        f"{title} has not renewed the access yet, and Dashtam goes on trying. If it lasts, connect the account again."
    )
    return Standing("Not renewed", "expired", hint, ended=True)
