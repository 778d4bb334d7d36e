"""Runs the command of an environment's config once the environment is healthy."""

from __future__ import annotations

import shlex
import sys

from cli.core.errors import UserError
from cli.core.process import run_to_end
from cli.environments.configuration import configuration
from cli.operations import client_settings
from cli.operations.session import Session
from cli.operations.up import outputs
from cli.ui.console import announce

KEY = "dashtam:hooks.healthy"


def run_healthy(session: Session, stack: str) -> None:
    """Run the command, if any, in the checkout, with the variables for the environment's clients."""
    command = configuration(session.clone.root, stack).hooks.healthy
    if not command:
        return
    variables = client_settings.of(session.clone, outputs(session, stack), secrets=True)
    announce(f"{stack} is healthy; running {shlex.join(command)} ({KEY}).")
    sys.stderr.flush()
    try:
        # Standard output is for results, such as those of --json.
        status = run_to_end(command, cwd=session.clone.root, env={**session.environ, **variables}, stdout=2)
    except OSError as error:
        raise _failed(stack, command, f"can't be run: {error.strerror or error}") from None
    if status < 0:
        raise _failed(stack, command, f"was ended by signal {-status}")
    if status:
        raise _failed(stack, command, f"failed with exit status {status}")


def _failed(stack: str, command: tuple[str, ...], what: str) -> UserError:
    return UserError(
        f"The command of {KEY} in Pulumi.{stack}.yaml {what}.",
        cause=f"{stack} itself is up and healthy. The command is: {shlex.join(command)}",
        remedy=f'Run it by hand, after `eval "$(./dashtam env {stack} --show-secrets)"`; or edit {KEY}, and run'
        f" `./dashtam up {stack}` again.",
    )
