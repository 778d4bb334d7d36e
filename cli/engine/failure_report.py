"""What is shown when an update fails: the cause in words, and what the failing services said themselves."""

from __future__ import annotations

import re

from cli.core import remedies
from cli.core.errors import UserError
from cli.engine.container import ContainerView

LOG_LINES = 15
_NOISE = re.compile(
    r"^(update failed|destroy failed|\d+ errors? occurred:|: provider=\S+|sdk-v2/\S+: sdk\.helper_schema:)\s*$"
)
_PREFIX = re.compile(r"^(\*\s+|sdk-v2/\S+ sdk\.helper_schema: |creating urn:\S+: )+")
_SUFFIX = re.compile(r": provider=\S+$|: 1 error occurred:$")


def has_failed(container: ContainerView) -> bool:
    """Return whether a container won't become what it is to be without help."""
    if container.is_service:
        return container.health == "unhealthy" or container.state in {"exited", "dead", "restarting"}
    return container.state == "exited" and container.exit_code != 0


def update_failed(command: str, stack: str, errors: list[str], reports: list[str]) -> UserError:
    """Return the error for an update that failed."""
    causes = "\n".join(reasons(errors))
    return UserError(
        f"{stack} did not become healthy."
        if command == "up"
        else f"{stack} is not down."
        if command == "down"
        else f"{stack} is not removed.",
        cause="\n\n".join(part for part in [causes, *reports] if part),
        remedy=remedies.known(causes, *reports)
        or f"Remove the cause, then run `./dashtam {command} {stack}` again; it goes on from here.",
    )


def reasons(errors: list[str]) -> list[str]:
    """Return what Pulumi's diagnostics say, without its wrapping and repetition."""
    lines: list[str] = []
    for line in (line.strip() for message in errors for line in message.splitlines()):
        said = _SUFFIX.sub("", _PREFIX.sub("", line)).strip()
        if said and not _NOISE.match(said) and said not in lines:
            lines.append(said)
    return lines


def report(container: ContainerView, lines: list[str]) -> str:
    """Return what a container that isn't well has to say."""
    state = container.health or container.state
    if container.state == "exited":
        state = f"exited with status {container.exit_code}"
    said = [f"{container.name}: {state}"]
    if container.checks:
        status, output = container.checks[-1]
        said.append(f"  last health check: exit status {status}{': ' + output if output else ''}")
    return "\n".join([*said, *(f"  | {line}" for line in lines)])
