"""Health checks that are close together while a service starts, and further apart once it is healthy.

That is what the engine's own `start_interval` does, which neither the engine of Debian 12 (before 25) nor the built
plugin knows. One check a second for each container of three environments would keep a core busy for nothing.
"""

from __future__ import annotations

from math import ceil

import pulumi_docker as docker

from infra.config_values import engine_duration, seconds
from infra.shared_settings import HealthSettings

MARK = "/tmp/healthy"  # noqa: S108 - the container's own, in memory, gone with a restart
"""The file that tells a check that one before it succeeded."""

PLUGIN_MARGIN = 10
"""Seconds that the plugin waits longer than a service may take. Once its time is over it crashes, with what it does for
other services; the operator's tool ends the update before that, in good order."""


def plugin_wait(settings: HealthSettings) -> int:
    """Return for how many seconds the plugin is to wait for a service's health."""
    return ceil(seconds(settings.wait)) + PLUGIN_MARGIN


def check(command: str, settings: HealthSettings) -> docker.ContainerHealthcheckArgs:
    """Return a service's health check.

    Args:
        command: A shell command that exits with 0 when the service is ready.
        settings: How often to check, and how long to wait.

    Returns:
        The check: failures count only after the time that `up` waits, or once the service has been healthy.
    """
    pause = seconds(settings.interval) - seconds(settings.start_interval)
    return docker.ContainerHealthcheckArgs(
        tests=["CMD-SHELL", paced(command, pause)],
        interval=engine_duration(seconds(settings.start_interval)),
        timeout=engine_duration(pause + seconds(settings.timeout)),
        retries=settings.retries,
        start_period=engine_duration(seconds(settings.wait)),
    )


def paced(command: str, pause: float) -> str:
    """Return a command that waits before it checks what has been healthy.

    That also holds after a failure: on a machine so busy that checks time out, closer ones would keep it busy.

    Args:
        command: A shell command that exits with 0 when the service is ready.
        pause: Seconds to wait.

    Returns:
        A shell command of what Debian and Alpine share, that exits with 0 or 1.
    """
    return f"if [ -e {MARK} ]; then sleep {pause:g}; fi; if {command}; then : > {MARK}; else exit 1; fi"
