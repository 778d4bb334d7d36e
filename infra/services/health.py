"""Paces health checks: close together while a service starts, and further apart once it is healthy.

That is what the engine's own `start_interval` does, which neither the engine of Debian 12 (before 25) nor the built
plugin knows. One check a second for each container of three environments would keep a core busy for nothing.
"""

from __future__ import annotations

MARK = "/tmp/healthy"  # noqa: S108 - the container's own, in memory, lost at a restart
"""The file by which a check knows that an earlier one succeeded."""


def paced(command: str, pause: float) -> str:
    """Return a shell command (Debian's and Alpine's) that waits `pause` seconds before it checks a healthy service.

    It also waits after a failure: on a machine so busy that checks time out, closer ones would keep it busy.
    """
    return f"if [ -e {MARK} ]; then sleep {pause:g}; fi; if {command}; then : > {MARK}; else exit 1; fi"
