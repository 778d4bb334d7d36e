"""Paces health checks: a service that starts is asked until it is healthy, a healthy one at intervals.

The engine's own `start_interval` does neither: the engine of Debian 12 (before 25) and the built plugin don't know it,
and it starts a check as a process of its own each time, which takes the CPU from the service that it waits for.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from infra.config.sections import HealthSettings
from infra.config.values import engine_duration, seconds

MARK = "/tmp/healthy"  # noqa: S108 - the container's own, in memory, lost at a restart
"""The file by which a check knows that an earlier one succeeded."""

DEADLINE = "$deadline"
"""Until when a check tries again, in seconds since 1970; it is past for a service that was healthy."""

LONGEST_SECONDS = 5
"""How long a check tries at most, so that its output is seen meanwhile."""


def timing(command: str, settings: HealthSettings, written: Callable[[float], str] = engine_duration) -> dict[str, Any]:
    """Return a health check's arguments; failures count after the time that `up` waits, or once it has been healthy.

    `written` returns seconds as the plugin reads them from the engine.
    """
    pause = seconds(settings.interval) - seconds(settings.start_interval)
    return {
        "tests": ["CMD-SHELL", paced(command, pause)],
        "interval": written(seconds(settings.start_interval)),
        "timeout": written(pause + seconds(settings.timeout)),
        "retries": settings.retries,
        "start_period": written(seconds(settings.wait)),
    }


def paced(command: str, pause: float) -> str:
    """Return a shell command (Debian's and Alpine's) that checks a service that starts until it is healthy.

    It takes `pause` seconds beside one check at most: a healthy service is checked once, after the pause.
    """
    tries = f"deadline=$(($(date +%s) + {min(int(pause), LONGEST_SECONDS)}))"
    return (
        f"if [ -e {MARK} ]; then deadline=0; sleep {pause:g}; else {tries}; fi;"
        f" if {command}; then : > {MARK}; else exit 1; fi"
    )


def once_ready(health: str, alive: str) -> str:
    """Return a shell command for `paced` that checks that a service is ready once, and from then on that it is alive.

    A Swarm ends what fails its check: else an outage of the database would end every replica of the app.
    """
    return f"if [ -e {MARK} ]; then {alive}; else {health}; fi"


def repeated(command: str) -> str:
    """Return a shell command for `paced` that runs a cheap one until it succeeds or the deadline is past.

    It prints what the last run has printed.
    """
    return (
        f'until output=$({command} 2>&1); do [ "$(date +%s)" -lt "{DEADLINE}" ] || {{ echo "$output"; exit 1; }};'
        ' sleep 0.1; done; echo "$output"'
    )
