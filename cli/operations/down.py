"""Removes the containers of environments' services, or a Swarm's services, and networks; the rest stays.

What installed the files of services is not removed either: the next `up` need not install them again.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from cli.environments import environment_lock, ownership, states
from cli.environments.configuration import require_readable
from cli.operations import recover
from cli.operations.session import Session
from cli.operations.updates import Updates
from cli.pulumi import stack_state

_OF_A_SERVICE = f"dashtam:index:*${stack_state.CONTAINER}"
TARGETS = tuple(
    f"--target=urn:pulumi:**${kind}::**" for kind in (_OF_A_SERVICE, stack_state.SERVICE, stack_state.NETWORK)
)
"""What is removed: the rest of the state, with its secrets and certificates, stays exact."""


def down(session: Session, *stacks: str) -> None:
    """Remove what runs of environments, and their networks, at the same time."""
    for stack in stacks:
        require_readable(stack, session.clone.root)
    with environment_lock.held(session.clone, *stacks):
        for stack in stacks:
            state = states.read(session.clone, stack, session.environ)
            ownership.require_own(session.clone, stack, state)
            ownership.require_engine(session.client, session.clone, stack, state)
            recover.remove_guests(session, stack)
        refresh = {stack: recover.recover(session, stack) for stack in stacks}
        # They stop while Pulumi starts, which takes longer; it waits for each and removes it.
        with ThreadPoolExecutor(1) as pool:
            asked = pool.submit(_ask_to_stop, session, stacks)
            Updates(session, "down").run(
                {stack: [*TARGETS, *(["--refresh"] if refresh[stack] else [])] for stack in stacks}
            )
            asked.result()


def _ask_to_stop(session: Session, stacks: Sequence[str]) -> None:
    for stack in stacks:
        for container in session.engine.summaries(stack, session.clone.id):
            session.engine.ask_to_stop(container["Id"])
