"""The services' health checks as the engine runs them, and how long an update waits for them."""

from __future__ import annotations

from math import ceil

import pulumi_docker as docker

from infra.config.sections import HealthSettings
from infra.config.values import engine_duration, seconds
from infra.services.pacing import paced

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
