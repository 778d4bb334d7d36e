"""What earlier updates made, as Pulumi's state has it: read by the program itself, and given by the commands."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from infra.naming import OWNER_LABEL, STACK_LABEL

READ = "pulumi:pulumi:readStackResourceOutputs"
"""A function of Pulumi's engine, which reads the state as it was before the update."""

BEING_WRITTEN = "failed to load checkpoint"
"""Its error while the engine writes that state: a file backend writes the attributes beside it in place."""

TRIES = 20
PAUSE = 0.1
"""Seconds between two tries."""

_STACK = "pulumi:pulumi:Stack"
_NETWORK = "docker:index/network:Network"
_VOLUME = "docker:index/volume:Volume"
_KEY = "random:index/randomBytes:RandomBytes"
_SECRETS = {("random:index/randomPassword:RandomPassword", "postgres-password"), (_KEY, "session-key")}
_TOKEN_KEY = re.compile(r"token-(.+)-key")
_FILES = "-files"
"""How the names of volumes end that hold no data, but certificates and secrets that are in the state too."""


@dataclass(frozen=True)
class StateResource:
    """A resource that an earlier update made."""

    kind: str
    """Pulumi's type token."""
    name: str
    """Its name on the engine."""
    labels: Mapping[str, str] = field(default_factory=dict)
    resource: str = ""
    """Its name in the program."""
    options: frozenset[str] = frozenset()
    """The names of a network's driver options."""

    @property
    def owner(self) -> str:
        """The clone that made it; empty where that isn't known."""
        return self.labels.get(OWNER_LABEL, "")

    @property
    def stack(self) -> str:
        """The stack that it was made for; empty where that isn't known."""
        return self.labels.get(STACK_LABEL, "")


@dataclass(frozen=True)
class State:
    """A stack as its state has it."""

    resources: Sequence[StateResource] = ()
    outputs: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """As of the last update that succeeded."""

    @property
    def names(self) -> set[str]:
        """The names on the engine of its resources."""
        return {one.name for one in self.resources if one.name}

    @property
    def networks(self) -> list[StateResource]:
        """Its networks."""
        return [one for one in self.resources if one.kind == _NETWORK]

    @property
    def volumes(self) -> set[str]:
        """The names of its volumes, by which Pulumi deletes them."""
        return {one.name for one in self.resources if one.kind == _VOLUME}

    @property
    def data_volumes(self) -> set[str]:
        """The names of the volumes that hold data."""
        return {name for name in self.volumes if holds_data(name)}

    @property
    def has_secrets(self) -> bool:
        """Whether it has what data is reached and read with: the database's password, the session key, a token key."""
        return {(one.kind, one.resource) for one in self.resources} >= _SECRETS and bool(self.token_keys)

    @property
    def token_keys(self) -> set[str]:
        """The names of the keys that wrap what tokens are encrypted with."""
        return {name for one in self.resources if one.kind == _KEY and (name := token_key(one.resource))}


def token_key(resource: str) -> str:
    """Return the name of the token key that a resource of a name in the program is; empty where it is none."""
    found = _TOKEN_KEY.fullmatch(resource)
    return found[1] if found else ""


def holds_data(volume: str) -> bool:
    """Tell by its name whether a volume of this project holds data."""
    return not volume.endswith(_FILES)


def of(resources: Iterable[tuple[str, str, Mapping[str, Any]]]) -> State:
    """Return a state, of type tokens, names in the program and outputs of all resources, the stack's among them."""
    found = list(resources)
    outputs = next((outputs for kind, _, outputs in found if kind == _STACK), {})
    return State([_made(kind, name, outputs) for kind, name, outputs in found if kind != _STACK], outputs)


def read(stack: str) -> State:
    """Return what the state has of the stack that is being updated; Pulumi's own error where it can't be read."""
    for _ in range(TRIES - 1):
        try:
            return _read(stack)
        except Exception as error:  # the SDK raises no other
            if BEING_WRITTEN not in str(error):
                raise
            time.sleep(PAUSE)
    return _read(stack)


def _read(stack: str) -> State:
    import pulumi  # noqa: PLC0415 - slow to import, and commands read the state themselves

    name = f"{pulumi.get_organization()}/{pulumi.get_project()}/{stack}"
    found: dict[str, Any] = pulumi.runtime.invoke(READ, {"stackName": name}).value
    return of((one["type"], urn.rsplit("::", 1)[-1], one["outputs"]) for urn, one in found["outputs"].items())


def _made(kind: str, resource: str, outputs: Mapping[str, Any]) -> StateResource:
    labels = outputs.get("labels")
    pairs = labels if isinstance(labels, list) else []
    given = outputs.get("options")
    options = frozenset(given if isinstance(given, dict) else ())
    return StateResource(
        kind, str(outputs.get("name", "")), {one["label"]: one["value"] for one in pairs}, resource, options
    )
