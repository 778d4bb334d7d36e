"""Paces health checks: a service that starts is asked until it is healthy, a healthy one at intervals.

The engine's own intervals do neither well: the engine of Debian 12 (before 25) and the built plugin know no
`start_interval`, and each check is a process of its own, which takes the CPU from the service that it waits for, and
costs ten times what it asks. So one check asks often: until the service is healthy, or as long as it stays healthy.
"""

from __future__ import annotations

from collections.abc import Callable
from math import ceil
from typing import Any

from infra.config.sections import HealthSettings
from infra.config.values import engine_duration, seconds

MARK = "/tmp/healthy"  # noqa: S108 - the container's own, in memory, lost at a restart
"""The file by which a check knows that an earlier one succeeded."""

UNFINISHED = "/tmp/checking"  # noqa: S108
"""The file by which a check knows that the one before it failed, or was ended, as the engine does when it pauses a
container: the engine waits for a success, and sees it only when a check ends."""

SCHEDULE = '"$deadline" "$pause" "$rounds" "$limit"'
"""What a check is told: until when it tries again, in seconds since 1970, which is past for a service that was healthy;
the seconds before each time that it asks; how often it asks while it succeeds; and how long it waits for an answer."""

LONGEST_SECONDS = 5
"""How long a check tries at most, so that its output is seen meanwhile."""

WATCH_SECONDS = 600
"""How long a check asks a healthy service."""


def timing(command: str, settings: HealthSettings, written: Callable[[float], str] = engine_duration) -> dict[str, Any]:
    """Return a health check's arguments; failures count after the time that `up` waits, or once it has been healthy.

    `written` returns seconds as the plugin reads them from the engine.
    """
    pause, limit = seconds(settings.interval), seconds(settings.timeout)
    rounds = max(1, int(WATCH_SECONDS / pause))
    return {
        "tests": ["CMD-SHELL", paced(command, pause, rounds, limit)],
        "interval": written(seconds(settings.start_interval)),
        "timeout": written(rounds * (pause + limit)),
        "retries": settings.retries,
        "start_period": written(seconds(settings.wait)),
    }


def paced(command: str, pause: float, rounds: int, limit: float) -> str:
    """Return a shell command (Debian's and Alpine's) that checks a service that starts until it is healthy.

    A healthy one is asked `rounds` times, each after `pause` seconds; the first failure ends the check.
    """
    return (
        f"deadline=$(($(date +%s) + {min(int(pause), LONGEST_SECONDS)})); pause=0; rounds=1; limit={ceil(limit)};"
        f" if [ -e {MARK} ]; then deadline=0; pause={pause:g}; [ -e {UNFINISHED} ] || rounds={rounds}; fi;"
        f" : > {UNFINISHED}; if {command}; then : > {MARK}; rm -f {UNFINISHED}; else exit 1; fi"
    )


def once_ready(health: str, alive: str) -> str:
    """Return a shell command for `paced` that checks that a service is ready once, and from then on that it is alive.

    A Swarm ends what fails its check: else an outage of the database would end every replica of the app.
    """
    return f"if [ -e {MARK} ]; then {alive}; else {health}; fi"


def repeated(command: str) -> str:
    """Return a shell command for `paced` that runs a cheap one, which keeps to `$limit`, by the schedule.

    It prints what the last run has printed.
    """
    until_healthy = (
        f'until output=$({command} 2>&1); do [ "$(date +%s)" -lt "$deadline" ] || {{ echo "$output"; exit 1; }};'
        " sleep 0.1; done"
    )
    every_round = f'while [ "$rounds" -gt 0 ]; do sleep "$pause"; {until_healthy}; rounds=$((rounds - 1)); done'
    return f'({every_round}; echo "$output")'
