"""Bring environments up and take them away."""

from __future__ import annotations

from collections.abc import Sequence

from cli import failures, preflight, recovery, turns
from cli.console import err
from cli.drift import mend
from cli.errors import UserError
from cli.progress import UpdateProgress
from cli.pulumi import require_configured
from cli.session import Session
from infra.outputs import StackOutputs


def up(session: Session, stack: str, *, replace: Sequence[str] = ()) -> StackOutputs:
    """Bring an environment up, whatever state it is in.

    Args:
        session: The prepared clone.
        stack: The environment.
        replace: URNs of resources to make anew, changed or not.

    Returns:
        Its outputs.

    Raises:
        UserError: There is no such environment, something is in its way, or it did not become healthy.
    """
    require_configured(stack, session.clone.root)
    with turns.turn(session.clone.home, stack, err.print):
        preflight.require_free(session.clone, session.engine, stack)
        refresh = recovery.recover(session.pulumi, session.engine, stack, session.clone.id, err.print)
        drifted = mend.prepare(session.engine, session.clone, stack, err.print)
        flags = [*(["--refresh"] if refresh or drifted else []), *(f"--replace={urn}" for urn in replace)]
        _update(session, "up", stack, *flags)
    outputs = session.pulumi.outputs(stack)
    if outputs is None:
        raise UserError(f"{stack} has no outputs.", cause="The update ended without them.")
    return outputs


def destroy(session: Session, stack: str) -> None:
    """Remove everything of an environment, its data too.

    Args:
        session: The prepared clone.
        stack: The environment.

    Raises:
        UserError: There is no such environment, or something could not be removed.
    """
    require_configured(stack, session.clone.root)
    with turns.turn(session.clone.home, stack, err.print):
        recovery.recover(session.pulumi, session.engine, stack, session.clone.id, err.print)
        _update(session, "destroy", stack, "--refresh")


def _update(session: Session, command: str, stack: str, *flags: str) -> None:
    engine, owner = session.engine, session.clone.id
    # What was there before is stopped on purpose where it is replaced.
    watch = failures.Watch(engine, stack, owner, {one.id for one in engine.containers(stack, owner)})
    broken = watch.sees_failure if command == "up" else lambda: False
    with UpdateProgress(stack, err) as progress:
        succeeded = session.pulumi.update(command, stack, *flags, on_event=progress.on_event, broken=broken)
    if not succeeded:
        reports = watch.reports() if command == "up" else []
        raise failures.update_failed(command, stack, progress.errors, reports)
