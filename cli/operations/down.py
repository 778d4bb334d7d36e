"""Removes the containers of environments' services, or a Swarm's services, and networks; the rest stays.

What installed the files of services is not removed either: the next `up` need not install them again.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

from docker.errors import DockerException
from requests import RequestException

from cli.engine.inventory import EngineView
from cli.environments import environment_lock, ownership, states
from cli.environments.configuration import require_readable
from cli.operations import recover
from cli.operations.session import Session
from cli.operations.update.run import Updates
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
            recover.remove_test_container(session, stack)
        refresh = {stack: recover.recover(session, stack) for stack in stacks}
        running = [one["Id"] for stack in stacks for one in session.engine.summaries(stack, session.clone.id)]
        with _asked_to_stop(session.engine, running):
            Updates(session, "down").run(
                {stack: [*TARGETS, *(["--refresh"] if refresh[stack] else [])] for stack in stacks}
            )


@contextmanager
def _asked_to_stop(engine: EngineView, containers: Sequence[str]) -> Iterator[None]:
    """Let containers stop while Pulumi starts, which takes longer; it waits for each and removes it."""
    interrupted = threading.Event()

    def ask() -> None:
        for container in containers:
            if not interrupted.is_set():
                with suppress(DockerException, RequestException):  # Pulumi stops it all the same
                    engine.ask_to_stop(container)

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    try:
        yield
    except BaseException:
        interrupted.set()
        raise
    asking.join()
