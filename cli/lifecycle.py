"""Bring environments up and take them away."""

from __future__ import annotations

from cli import failures, preflight, recovery, turns
from cli.console import err
from cli.errors import UserError
from cli.progress import UpdateProgress
from cli.pulumi import require_configured
from cli.session import Session
from infra.outputs import StackOutputs


def up(session: Session, stack: str, *, refresh: bool = False) -> StackOutputs:
    """Bring an environment up, whatever state it is in.

    Args:
        session: The prepared clone.
        stack: The environment.
        refresh: Whether to ask the engine for everything first; it is done anyway where something is amiss.

    Returns:
        Its outputs.

    Raises:
        UserError: There is no such environment, something is in its way, or it did not become healthy.
    """
    require_configured(stack, session.clone.root)
    with turns.turn(session.clone.home, stack, err.print):
        preflight.require_free(session.clone, session.engine, stack)
        amiss = recovery.recover(session.pulumi, session.engine, stack, session.clone.id, err.print)
        _update(session, "up", stack, *(["--refresh"] if amiss or refresh else []))
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


DOWN = tuple(
    flag for kind in (recovery.CONTAINER, recovery.NETWORK) for flag in ("--target", f"urn:pulumi:**${kind}::**")
)
"""What `down` removes: the rest of the state, with its secrets and certificates, stays exact."""


def down(session: Session, stack: str) -> None:
    """Remove an environment's containers and network; its volumes, secrets and certificates stay.

    Args:
        session: The prepared clone.
        stack: The environment.

    Raises:
        UserError: There is no such environment, or something could not be removed.
    """
    require_configured(stack, session.clone.root)
    with turns.turn(session.clone.home, stack, err.print):
        amiss = recovery.recover(session.pulumi, session.engine, stack, session.clone.id, err.print)
        _update(session, "destroy", stack, *DOWN, *(["--refresh"] if amiss else []))


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
