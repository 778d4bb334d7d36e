"""Brings environments up, whatever state they are in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from functools import partial

from cli.core.errors import UserError
from cli.data.snapshots import session_key
from cli.engine import failure_report, health
from cli.environments import environment_lock, targets
from cli.environments.configuration import require_configured
from cli.operations import (
    chosen_services,
    client_settings,
    clock_and_disk,
    data_parts,
    finish_restore,
    preflight,
    reconcile,
    recover,
    swarm_images,
    unchanged,
)
from cli.operations.session import Session
from cli.operations.update.run import Updates
from cli.pulumi import locks
from cli.pulumi.language_host import LanguageHost
from cli.ui.console import announce
from infra.outputs import PublicOutputs, StackOutputs


def up(
    session: Session,
    *stacks: str,
    services: Sequence[str] | None = None,
    timeout: float | None = None,
    replace: Sequence[str] = (),
    hint: bool = True,
) -> list[PublicOutputs]:
    """Bring environments up at the same time, and return their outputs; Pulumi runs where anything may have changed.

    Args:
        services: The services to run, with what they need; all if empty; None keeps to what was chosen.
        timeout: Seconds until they must be healthy; None: as long as each service's health check allows.
        replace: URNs of the certificates' keys, to replace them and so the certificates.
        hint: Whether to name the snapshot that has an environment's missing data.
    """
    for stack in stacks:
        require_configured(stack, session.clone.root)
    with environment_lock.held(session.clone, *stacks), ExitStack() as started:
        clock_and_disk.require_sound(session.client.info(), datetime.now(UTC))
        with chosen_services.chosen(session, stacks, services):
            for stack in stacks:
                locks.release_dead(session.pulumi, stack)  # plain Pulumi is to work too, whether or not Pulumi must run
            read = {stack: unchanged.inputs(session, stack) for stack in stacks}
            proven = {} if replace else {stack: unchanged.outputs(session, stack, read[stack]) for stack in stacks}
            known = {stack: found for stack, found in proven.items() if found}
            changed = [stack for stack in stacks if stack not in known]
            hosts = {stack: started.enter_context(session.pulumi.language_host()) for stack in changed}
            for stack in changed:
                preflight.require_possible(session, stack, renews=bool(replace))
            for stack in changed:
                if targets.is_swarm(stack, session.clone.root):
                    swarm_images.provide(session, stack)
        if changed:
            session.require_images()
            _update(session, hosts, timeout, [f"--replace={urn}" for urn in replace], hint=hint)
        for stack in changed:
            known[stack] = session.pulumi.public_outputs(stack)
            client_settings.refresh(session.clone, known[stack], partial(session.pulumi.outputs, stack))
            unchanged.record(session, stack, read[stack], known[stack])
        return [known[stack] for stack in stacks]


def _update(
    session: Session, hosts: Mapping[str, LanguageHost], timeout: float | None, replaced: Sequence[str], *, hint: bool
) -> None:
    began = session.engine.now()
    flags = {stack: [*_prepare(session, stack, hint=hint), *replaced] for stack in hosts}
    Updates(session, "up", timeout, hosts).run(flags)
    for stack in hosts:
        _require_health(session, stack, began)
        # Only now there is an app that can judge a restored backup.
        finish_restore.finish(session.environment(stack))


def _prepare(session: Session, stack: str, *, hint: bool) -> list[str]:
    """Clean up after an earlier command, and return the flags that the update needs for that."""
    environment = session.environment(stack)
    finish_restore.finish(environment)
    session_key.apply(session.pulumi, environment)
    refresh = recover.recover(session, stack)
    if hint and (message := data_parts.missing_data_hint(environment)):
        announce(message)
    refresh |= reconcile.prepare(session, stack)
    return ["--refresh"] if refresh else []


def _require_health(session: Session, stack: str, began: str) -> None:
    """Wait for what a command before this one had started, and was killed before it was healthy.

    Of a Swarm, wait too for what Pulumi can't; `began` is when the update did, by the engine's clock.
    """
    _, unhealthy = health.settled(session.engine, stack, session.clone.id)
    unhealthy = unhealthy or health.broken_by_an_edit(session.engine, stack, session.clone.id, began)
    reports = [failure_report.report(session.engine, one) for one in unhealthy]
    services = session.engine.services(stack, session.clone.id)
    back = [one for one in services if one.is_rolled_back and one.began > began]
    if reports or back:
        reasons = [failure_report.rolled_back(one) for one in back]
        raise failure_report.update_failed("up", stack, reasons, reports)


def outputs(session: Session, stack: str) -> StackOutputs:
    """Return the outputs, with their secrets, of an environment that is up."""
    found = session.pulumi.outputs(stack)
    if found is None:
        raise UserError(
            f"{stack} has no outputs.", cause="The update ended without them.", remedy=f"./dashtam up {stack}"
        )
    return found
