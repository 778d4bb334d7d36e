"""Which services of an environment run: some of them with all that they need, or every one.

The choice is part of the stack's placement, which the program reads and reports: plain `pulumi up` keeps to it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager

from cli.core.errors import UsageError, did_you_mean
from cli.environments import placements
from cli.environments.allocation import Allocator
from cli.environments.configuration import configuration, configured_stacks
from cli.operations.session import Session
from infra.naming import NEEDS, SERVICES


@contextmanager
def chosen(session: Session, stacks: Sequence[str], services: Sequence[str] | None) -> Iterator[None]:
    """Record which services of some environments are to run, unless the block refuses it; None leaves that as it is.

    All are to run if none is named.
    """
    former = {stack: placements.of(session.clone, stack).services for stack in stacks}
    choice = former if services is None else {stack: _choice(session, stack, services) for stack in stacks}
    changed = [stack for stack in stacks if choice[stack] != former[stack]]
    recorded: list[str] = []
    try:
        for stack in changed:
            Allocator(session.clone, session.engine).allocate(stack)
            recorded.append(stack)
            placements.choose(session.clone, stack, choice[stack])
        yield
    except BaseException:
        for stack in recorded:
            placements.choose(session.clone, stack, former[stack])
        raise


def _choice(session: Session, stack: str, services: Sequence[str]) -> tuple[str, ...]:
    available = configuration(session.clone.root, stack).services
    for service in services:
        _require(stack, service, available)
    found = with_needed(services, available)
    return () if len(found) == len(available) else found


def with_needed(services: Collection[str], available: Collection[str]) -> tuple[str, ...]:
    """Return some services and all that they need, in the order of `SERVICES`; all where none is named."""
    found = set(services or available)
    while more := {other for one in found for other in NEEDS[one] if other in available} - found:
        found |= more
    return tuple(one for one in SERVICES if one in found)


def _require(stack: str, service: str, available: Sequence[str]) -> None:
    if service in available:
        return
    if service in configured_stacks():
        raise UsageError(
            f"{service} is an environment, and comes after a service.",
            remedy="Name environments first: `./dashtam up ENVIRONMENT... SERVICE...`.",
        )
    off = f" dashtam:{service}.enabled is false." if service in SERVICES else ""
    similar = did_you_mean(service, [*available, *configured_stacks()]).strip()
    raise UsageError(
        f"{stack} has no service {service!r}.",
        cause=f"Its services are: {', '.join(available)}.{off}",
        remedy=similar or f"`./dashtam up {stack}` starts all.",
    )
