"""Spaces checks: close together while a service starts, and further apart once it is healthy.

That is what the engine's own `start_interval` does, which neither the engine of Debian 12 (before 25) nor the built
plugin knows. One check a second for each container of three environments would keep a core busy for nothing.
"""

from __future__ import annotations

MARK = "/tmp/healthy"  # noqa: S108 - the container's own, in memory, gone with a restart
"""The file that tells a check that one before it succeeded."""


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
