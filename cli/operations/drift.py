"""Compares a whole environment with its state."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from cli.engine.container import ContainerView, made_by_updates, rank, view
from cli.engine.diff import NONE, Change, changes, labels, replacement_changes
from cli.engine.inventory import EngineView, is_of
from cli.engine.service_diff import service_changes
from cli.environments import states
from cli.environments.clone import Clone
from cli.pulumi.stack_state import CONTAINER, IMAGE, NETWORK, SERVICE, VOLUME, Resource, StackState
from infra.naming import COMPONENT_LABEL

MISSING = "missing"
_KINDS = {CONTAINER: "container", SERVICE: "service", NETWORK: "network", VOLUME: "volume", IMAGE: "image"}
_ID = 12
"""Digits of an id that the engine's own commands show."""


@dataclass(frozen=True)
class Difference:
    """A property that differs from Pulumi's state."""

    kind: str
    resource: str
    property: str
    was: str
    now: str


@dataclass(frozen=True)
class EngineReading:
    """What the engine has, read once for several environments."""

    view: EngineView
    stack: str | None = None
    owner: str | None = None

    @cached_property
    def containers(self) -> list[dict[str, Any]]:
        """The project's containers."""
        return self.view.documents(self.stack, self.owner)

    @cached_property
    def views(self) -> list[ContainerView]:
        """The same, by name."""
        return sorted((view(one) for one in self.containers), key=lambda one: one.name)

    def services(self, stack: str, owner: str) -> list[ContainerView]:
        """Return the containers of an environment's services, running or not, in the order of `SERVICES`."""
        found = [one for one in self.views if one.is_service and (one.stack, one.owner) == (stack, owner)]
        return sorted(found, key=lambda one: rank(one.component))

    @cached_property
    def swarm(self) -> list[dict[str, Any]]:
        """The project's services, where the engine manages a Swarm."""
        return self.view.service_documents(self.stack, self.owner)

    @cached_property
    def networks(self) -> list[dict[str, Any]]:
        """All networks."""
        return self.view.network_documents()

    @cached_property
    def volumes(self) -> dict[str, dict[str, Any]]:
        """All volumes by name."""
        return {one["Name"]: one for one in self.view.volume_documents()}

    @cached_property
    def _images(self) -> dict[str, str]:
        return {}

    def image(self, name: str) -> str:
        """Return the id of an image, which many environments may run."""
        if name not in self._images:
            document = self.view.image_document(name)
            self._images[name] = document["Id"] if document else MISSING
        return self._images[name]

    def container(self, identity: str, name: str) -> dict[str, Any] | None:
        """Return a container by its id, else whatever holds its name."""
        known = {one["Id"]: one for one in self.containers}
        return known.get(identity) or self.view.container_document(identity) or self.view.container_document(name)


def look(view: EngineView, clone: Clone, stack: str) -> list[Difference]:
    """Compare an environment of this clone with its state, both as they are now."""
    return differences(states.read(clone, stack), EngineReading(view, stack, clone.id), stack, clone.id)


def differences(state: StackState, engine: EngineReading, stack: str, owner: str) -> list[Difference]:
    """Compare an environment with its state; return what differs, in the order of the state."""
    comparisons = {CONTAINER: _container, SERVICE: _service, NETWORK: _network, VOLUME: _volume, IMAGE: _image}
    found = [
        Difference(_KINDS[one.kind], _name(one), *change)
        for one in state.of(*comparisons)
        for change in comparisons[one.kind](one, engine)
    ]
    return [*found, *_unrecorded(state, engine, stack, owner)]


def _container(resource: Resource, engine: EngineReading) -> Iterator[Change]:
    document = engine.container(resource.id, resource.inputs["name"])
    if document is None:
        yield "container", resource.id[:_ID], MISSING
        return
    if document["Id"] != resource.id:
        yield "container", resource.id[:_ID], document["Id"][:_ID]
        yield from replacement_changes(resource.inputs, document)
    yield from changes(resource.inputs, document)


def _service(resource: Resource, engine: EngineReading) -> Iterator[Change]:
    document = next((one for one in engine.swarm if one["ID"] == resource.id), None)
    if document is None:
        yield "service", resource.id[:_ID], MISSING
        return
    yield from service_changes(resource.inputs, document)


def _network(resource: Resource, engine: EngineReading) -> Iterator[Change]:
    named = [one for one in engine.networks if one["Name"] == resource.inputs["name"]]
    document = next((one for one in engine.networks if one["Id"] == resource.id), None) or next(iter(named), None)
    if document is None:
        yield "network", resource.id[:_ID], MISSING
        return
    if document["Id"] != resource.id:
        yield "network", resource.id[:_ID], document["Id"][:_ID]
    yield from _changed("driver", resource.inputs.get("driver", "bridge"), document["Driver"])
    yield from _changed("internal", resource.inputs.get("internal", False), document["Internal"])
    yield from labels(resource.inputs, document["Labels"])


def _volume(resource: Resource, engine: EngineReading) -> Iterator[Change]:
    document = engine.volumes.get(resource.inputs["name"])
    if document is None:
        yield "volume", resource.inputs["name"], MISSING
        return
    yield from _changed("driver", resource.inputs.get("driver", "local"), document["Driver"])
    yield from labels(resource.inputs, document["Labels"])


def _image(resource: Resource, engine: EngineReading) -> Iterator[Change]:
    yield from _changed("image", resource.outputs["imageId"], engine.image(resource.inputs["name"]))


def _changed(name: str, was: object, now: object) -> Iterator[Change]:
    if was != now:
        yield name, str(was).lower(), str(now).lower()


def _unrecorded(state: StackState, engine: EngineReading, stack: str, owner: str) -> Iterator[Difference]:
    """Yield what carries the environment's labels and is not in the state: `up` removes it."""
    known = {one.id for one in state.of(CONTAINER, SERVICE, NETWORK)}
    taken = {_name(one) for one in state.of(CONTAINER, SERVICE, NETWORK)}
    things = [
        ("container", one["Id"], one["Name"].lstrip("/"), one["Config"])
        for one in engine.containers
        if "Task" not in one
    ]
    things += [("service", one["ID"], one["Spec"]["Name"], one["Spec"]) for one in engine.swarm]
    things += [("network", one["Id"], one["Name"], one) for one in engine.networks]
    for kind, identity, name, labelled in things:
        belongs = is_of(labelled, stack, owner) and made_by_updates(labelled["Labels"].get(COMPONENT_LABEL, ""))
        if belongs and identity not in known and name not in taken:
            yield Difference(kind, name, kind, NONE, identity[:_ID])


def _name(resource: Resource) -> str:
    return str(resource.inputs["name"])
