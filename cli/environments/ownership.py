"""What of an environment must not be taken away: the program's own guards, before a command changes anything."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial

import docker

from cli.core.errors import UserError
from cli.engine.inventory import EngineView, is_of
from cli.environments import targets
from cli.environments.clone import Clone
from cli.environments.configuration import configuration
from cli.pulumi.stack_state import VOLUME, StackState
from infra import cluster, engine, guards
from infra import state as states
from infra.naming import COMPONENT_LABEL, SERVICES, Naming
from infra.state import State, StateResource


def require_own(clone: Clone, stack: str, state: StackState) -> None:
    """Refuse an environment whose state is another clone's."""
    with _refusals():
        guards.require_own(made(state), Naming(stack, clone.id))


def look(client: docker.DockerClient, clone: Clone, stack: str) -> engine.Inventory:
    """Return what the program sees of where an environment is to run: an engine, or a Swarm."""
    if not targets.is_swarm(stack, clone.root):
        return engine.take_inventory(client)
    target = configuration(clone.root, stack).target
    try:
        return cluster.take_inventory(client, target, ())
    except engine.EngineError as error:
        raise UserError(
            f"{stack} is on a Swarm that can't be used.",
            cause=str(error),
            remedy="`docker node ls` shows the Swarm's nodes, and `docker context ls` which engine is in use.",
        ) from None


def require_engine(client: docker.DockerClient, clone: Clone, stack: str, state: StackState) -> None:
    """Refuse another engine, or Swarm, than the one that an environment is on."""
    with _refusals():
        guards.require_engine(made(state), look(client, clone, stack), stack)


def require(
    clone: Clone, view: EngineView, wanted: guards.Wanted, state: StackState, has_database: Callable[[], bool]
) -> None:
    """Refuse an update that would take away what it must not; `has_database` looks into the volume for one."""
    naming, known = wanted.naming, made(state)
    # Volumes that a killed update left are in no state.
    found = data(view, naming.environment, naming.owner, state) - known.data_volumes
    labels = naming.labels("")
    everything = replace(
        known, resources=[*known.resources, *(StateResource(VOLUME, name, labels) for name in sorted(found))]
    )
    keys_in_use = partial(cluster.keys_in_use, view.client, wanted.config.target, naming.container("postgres"))
    here = look(view.client, clone, naming.environment)
    with _refusals():
        queries = guards.EngineQueries(keys_in_use, partial(engine.not_mountable, view.client), has_database)
        guards.require(everything, here, wanted, queries)


def data(view: EngineView, stack: str, owner: str, state: StackState) -> set[str]:
    """Return the names of the volumes on the engine in which an environment has data."""
    there = {one["Name"] for one in view.volume_documents()}
    recorded = made(state).data_volumes & there
    return recorded | {name for name in volumes(view, stack, owner) if states.holds_data(name)}


def volumes(view: EngineView, stack: str, owner: str) -> set[str]:
    """Return the names of an environment's volumes on the engine, by their labels."""
    own = [one for one in view.volume_documents() if is_of(one, stack, owner)]
    return {one["Name"] for one in own if one["Labels"].get(COMPONENT_LABEL) in SERVICES}


def made(state: StackState) -> State:
    """Return a state as the guards see it."""
    return states.of((one.kind, one.name, one.outputs) for one in state.resources)


@contextmanager
def _refusals() -> Iterator[None]:
    try:
        yield
    except guards.RefusedError as error:
        raise UserError(error.message, cause=error.cause, remedy=error.remedy) from None
