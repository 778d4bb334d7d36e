"""What of an environment must not be taken away: the program's own guards, before a command changes anything."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial

import docker

from cli.core.errors import UserError
from cli.engine.inventory import EngineView, is_of, owner_of
from cli.engine.tasks import Document
from cli.environments import clone as clones
from cli.environments import targets
from cli.environments.clone import Clone
from cli.environments.configuration import configuration
from cli.pulumi.stack_state import VOLUME, Resource, StackState
from infra import cluster, engine, guards
from infra import state as states
from infra.naming import COMPONENT_LABEL, SERVICES, Naming
from infra.state import State, StateResource


def require_own(clone: Clone, stack: str, state: StackState) -> None:
    """Refuse an environment whose state is another clone's."""
    with _refusals():
        guards.require_own(made(state), Naming(stack, clone.id))


def require_own_volumes(listed: Collection[Document], clone: Clone, stack: str, state: StackState) -> None:
    """Refuse to remove an environment if a volume of its state is not this clone's: Pulumi deletes it by its name."""
    by_name = {one["Name"]: one for one in listed}
    for volume in state.of(VOLUME):
        document = by_name.get(volume.id)
        if document and not is_of(document, None, clone.id):
            raise _volume_not_own(stack, volume, owner_of(document))


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
    found = data(view.volume_documents(), naming.environment, naming.owner, state) - known.data_volumes
    labels = naming.labels("")
    everything = replace(
        known, resources=[*known.resources, *(StateResource(VOLUME, name, labels) for name in sorted(found))]
    )
    keys_in_use = partial(cluster.keys_in_use, view.client, wanted.config.target, naming.container("postgres"))
    here = look(view.client, clone, naming.environment)
    with _refusals():
        queries = guards.EngineQueries(keys_in_use, partial(engine.not_mountable, view.client), has_database)
        guards.require(everything, here, wanted, queries)


def data(listed: Collection[Document], stack: str, owner: str, state: StackState) -> set[str]:
    """Return the names of a clone's volumes, of those that the engine lists, in which an environment has data."""
    recorded = made(state).data_volumes & {one["Name"] for one in listed if is_of(one, None, owner)}
    return recorded | {name for name in volumes(listed, stack, owner) if states.holds_data(name)}


def volumes(listed: Collection[Document], stack: str, owner: str) -> set[str]:
    """Return the names of an environment's volumes, of those that the engine lists, by their labels."""
    own = [one for one in listed if is_of(one, stack, owner)]
    return {one["Name"] for one in own if one["Labels"].get(COMPONENT_LABEL) in SERVICES}


def made(state: StackState) -> State:
    """Return a state as the guards see it."""
    return states.of((one.kind, one.name, one.outputs) for one in state.resources)


def _volume_not_own(stack: str, volume: Resource, owner: str) -> UserError:
    whose = "lacks this project's labels"
    if owner:
        other = clones.known(owner)
        whose = f"belongs to another clone{f' in {other.root}' if other else ''}"
    return UserError(
        f"{stack} can't be removed: the volume {volume.id} is not its own.",
        cause=f"Pulumi deletes volumes by name, and the volume that has this name now {whose}.",
        remedy="Delete the name from Pulumi's state, which leaves the volume as it is, and run the same command again:"
        f' `eval "$(./dashtam env)"; pulumi state delete --stack {stack} --force --target-dependents --yes'
        f" {shlex.quote(volume.urn)}`.",
    )


@contextmanager
def _refusals() -> Iterator[None]:
    try:
        yield
    except guards.RefusedError as error:
        raise UserError(error.message, cause=error.cause, remedy=error.remedy) from None
