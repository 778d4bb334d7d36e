"""What is shown when an update fails: the cause, and the state and last lines of the services that failed."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from cli.core import remedies
from cli.core.errors import UserError
from cli.engine.container import ContainerView
from cli.engine.inventory import EngineView
from cli.engine.tasks import ServiceView

LOG_LINES = 15
MIGRATION_BEGIN = "Migrating the database"
"""In the line that the app logs before it migrates."""

_LINE = "  | "

_NOISE = re.compile(
    r"^(update failed|destroy failed|\d+ errors? occurred:|: provider=\S+|sdk-v2/\S+: sdk\.helper_schema:)\s*$"
)
_PREFIX = re.compile(r"^(\*\s+|sdk-v2/\S+ sdk\.helper_schema: |creating urn:\S+: )+")
_SUFFIX = re.compile(r": provider=\S+$|: 1 error occurred:$")


def update_failed(
    command: str, stack: str, errors: list[str], reports: list[str], reported: Collection[str] = ()
) -> UserError:
    """Return the error for an update that failed, from Pulumi's diagnostics and the reports of containers.

    What was reported before is not repeated.
    """
    causes = "\n".join(reasons(errors))
    shown = [_without_lines(one) if one in reported else one for one in reports]
    return UserError(
        f"{stack} did not become healthy."
        if command == "up"
        else f"{stack} is not down."
        if command == "down"
        else f"{stack} is not removed.",
        cause="\n\n".join(part for part in [causes, *shown] if part),
        remedy=remedies.known(causes, *reports, environment=stack)
        or f"Remove the cause, then run `./dashtam {command} {stack}` again: it continues from here.",
    )


def rolled_back(service: ServiceView) -> str:
    """Return what became of a service's update that the Swarm took back."""
    what = {
        "rollback_started": "is being rolled back",
        "rollback_completed": "was rolled back, and runs as before",
        "rollback_paused": "was rolled back, and that failed too",
    }.get(service.update, "was stopped half-way")
    return f"The update of {service.name} {what}{service.reason}."


def reasons(errors: list[str]) -> list[str]:
    """Return what Pulumi's diagnostics say, without its wrapping and repetition."""
    lines = (line.strip() for message in errors for line in message.splitlines())
    found = (_SUFFIX.sub("", _PREFIX.sub("", line)).strip() for line in lines)
    return list(dict.fromkeys(line for line in found if line and not _NOISE.match(line)))


def report(view: EngineView, container: ContainerView) -> str:
    """Return a container's state, its last health check and its last lines."""
    state = container.health or container.state
    if container.error:
        state = f"{container.state}, {container.error}"
    elif container.state == "exited":
        state = f"exited with status {container.exit_code}"
    if container.killed_for_memory:
        state += f", {remedies.OUT_OF_MEMORY}"
    lines = view.last_lines(container.id, LOG_LINES)
    if container.state == "running" and _is_migrating(lines):
        state += f", {remedies.MIGRATING}"
    parts = [f"{container.name}: {state}"]
    if container.checks:
        status, output = container.checks[-1]
        parts.append(f"  last health check: exit status {status}{': ' + output if output else ''}")
    return "\n".join([*parts, *(f"{_LINE}{line}" for line in lines)])


def _is_migrating(lines: Sequence[str]) -> bool:
    """Return whether the last line is of a migration's begin; the app waits for its cache meanwhile, and logs that."""
    said = [line for line in lines if "Waiting for " not in line]
    return bool(said) and MIGRATION_BEGIN in said[-1]


def _without_lines(report: str) -> str:
    """Return a report whose last lines were printed before."""
    head, lines, _ = report.partition(f"\n{_LINE}")
    return f"{head}\n  its last lines are above" if lines else head
