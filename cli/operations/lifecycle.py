"""Bring environments up and take them away."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime

from cli.core.errors import UserError
from cli.core.parallel import each
from cli.data.snapshots import session_key, store
from cli.engine import failure_report, health
from cli.environments import environment_lock, ownership, placements, preflight
from cli.environments.allocation import Settler
from cli.operations import clock_and_disk, data_parts, finish_restore, reconcile, recover
from cli.operations.session import Session
from cli.operations.updates import Updates
from cli.pulumi import stack_state
from cli.pulumi.process import require_configured
from cli.ui.console import err
from infra import guards
from infra.naming import Naming
from infra.outputs import StackOutputs
from infra.recipes import image_source


def up(
    session: Session,
    *stacks: str,
    patience: float | None = None,
    replace: Sequence[str] = (),
    remind: bool = True,
) -> list[StackOutputs]:
    """Bring environments up, whatever state they are in, at the same time.

    Args:
        session: The prepared clone.
        stacks: The environments.
        patience: Seconds until they must be healthy; None: as long as each service's health check allows.
        replace: URNs of resources to make anew, changed or not.
        remind: Whether to say how data comes back that is gone.

    Returns:
        Their outputs.

    Raises:
        UserError: There is no such environment, something is in its way, or one did not become healthy.
    """
    for stack in stacks:
        require_configured(stack, session.clone.root)
    with _turns(session, stacks):
        for stack in stacks:
            _require_possible(session, stack)
        Updates(session, "up", patience).run(
            {stack: _flags(refresh=_mend(session, stack, remind=remind), replace=replace) for stack in stacks}
        )
        for stack in stacks:
            _require_health(session, stack)
            # Only now is there an app that can tell whether a backup that was restored stays.
            finish_restore.finish(session.client, session.clone, placements.naming(session.clone, stack))
    return each(lambda stack: _outputs(session, stack), stacks)


def _require_possible(session: Session, stack: str) -> None:
    state = stack_state.read(session.clone, stack, session.environ)
    ownership.require_own(session.clone, stack, state)
    clock_and_disk.require_sound(session.client.info(), state.beginning, datetime.now(UTC))
    placed = Settler(session.clone, session.engine, err.print).settle(stack)
    config = placed.applied(preflight.configuration(session.clone.root, stack))
    preflight.require_free(session.clone, session.engine, stack, placed)
    source = image_source(config.images, session.environ)
    wanted = guards.Wanted(Naming(stack, session.clone.id, placed.name), config, source)
    ownership.require(session.client, session.engine, wanted, state)


def _mend(session: Session, stack: str, *, remind: bool) -> bool:
    """Mend what an earlier command left, and return whether something was amiss."""
    naming = placements.naming(session.clone, stack)
    if finish_restore.finish(session.client, session.clone, naming):
        err.print(f"A restore of {stack} was interrupted; it is finished now.", highlight=False)
    session_key.apply(session.pulumi, session.clone, stack)
    left = recover.recover(session.pulumi, session.engine, stack, session.clone.id, err.print)
    if remind:
        config = preflight.configuration(session.clone.root, stack)
        hint = data_parts.missing_data_hint(store.of(session.clone, stack), session.engine, naming, config)
        if hint:
            err.print(hint)
    drifted = reconcile.prepare(session.engine, session.clone, stack, err.print)
    return left or drifted


def _flags(*targets: str, refresh: bool, replace: Sequence[str] = ()) -> list[str]:
    return [*targets, *(["--refresh"] if refresh else []), *(f"--replace={urn}" for urn in replace)]


def _require_health(session: Session, stack: str) -> None:
    """Wait for what a command before this one had started, and was killed before it was healthy."""
    ailing = health.settled(session.engine, stack, session.clone.id)
    reports = [
        failure_report.report(one, session.engine.last_lines(one.id, failure_report.LOG_LINES)) for one in ailing
    ]
    if reports:
        raise failure_report.update_failed("up", stack, [], reports)


def _outputs(session: Session, stack: str) -> StackOutputs:
    outputs = session.pulumi.outputs(stack)
    if outputs is None:
        raise UserError(f"{stack} has no outputs.", cause="The update ended without them.")
    return outputs


DOWN = tuple(f"--target=urn:pulumi:**${kind}::**" for kind in (stack_state.CONTAINER, stack_state.NETWORK))
"""What `down` removes: the rest of the state, with its secrets and certificates, stays exact."""


def down(session: Session, *stacks: str) -> None:
    """Remove environments' containers and networks, at the same time; volumes, secrets and certificates stay.

    Args:
        session: The prepared clone.
        stacks: The environments.

    Raises:
        UserError: There is no such environment, or something could not be removed.
    """
    for stack in stacks:
        require_configured(stack, session.clone.root)
    with _turns(session, stacks):
        for stack in stacks:
            state = stack_state.read(session.clone, stack, session.environ)
            ownership.require_own(session.clone, stack, state)
            ownership.require_engine(session.client, stack, state)
            recover.remove_guests(session.engine, stack, session.clone.id, err.print)
        amiss = {
            stack: recover.recover(session.pulumi, session.engine, stack, session.clone.id, err.print)
            for stack in stacks
        }
        Updates(session, "down").run({stack: _flags(*DOWN, refresh=amiss[stack]) for stack in stacks})


@contextmanager
def _turns(session: Session, stacks: Sequence[str]) -> Iterator[None]:
    with ExitStack() as held:
        # In one order everywhere, so that two commands never wait for each other.
        for stack in sorted(set(stacks)):
            held.enter_context(environment_lock.turn(session.clone.home, stack, err.print))
        yield
