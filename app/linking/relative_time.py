"""Times relative to now: the server doesn't know a person's time zone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from markupsafe import Markup

_UNITS = (("day", timedelta(days=1)), ("hour", timedelta(hours=1)), ("minute", timedelta(minutes=1)))
_FAR = timedelta(days=14)


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
