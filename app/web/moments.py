"""Times in words, since the server doesn't know where a person's clock stands."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from markupsafe import Markup

_UNITS = (("day", timedelta(days=1)), ("hour", timedelta(hours=1)), ("minute", timedelta(minutes=1)))
_FAR = timedelta(days=14)


def moment(when: datetime, now: datetime | None = None) -> Markup:
    """Write a time for people and for machines.

    Args:
        when: The time.
        now: The present.

    Returns:
        A `time` element: in words if it is near, as a date if it is far.
    """
    when = when.astimezone(UTC)
    distance = when - (now or datetime.now(UTC))
    exact = f"{when:%-d %B %Y, %H:%M} UTC"
    words = f"{when:%-d %B %Y}" if abs(distance) >= _FAR else _near(distance)
    return Markup('<time datetime="{}" title="{}">{}</time>').format(when.isoformat(timespec="seconds"), exact, words)


def _near(distance: timedelta) -> str:
    for name, unit in _UNITS:
        if count := abs(distance) // unit:
            words = f"{count} {name}{'s' if count > 1 else ''}"
            return f"in {words}" if distance > timedelta() else f"{words} ago"
    return "in less than a minute" if distance > timedelta() else "just now"
