"""What earlier updates made, as Pulumi's state has it. Pure: shared by the program and the commands."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from infra.config.settings import StackSettings
from infra.naming import OWNER_LABEL, STACK_LABEL, Naming

KEEPERS = ("postgres", "redis")
"""The services that keep data."""

_STACK = "pulumi:pulumi:Stack"
_VOLUME = "docker:index/volume:Volume"
_KEY = "random:index/randomBytes:RandomBytes"
_TOKEN_KEY = ("token-", "-key")
"""How the resource names of token keys begin and end."""
_FILES = "-files"
"""How the names of volumes end that hold no data, but certificates and secrets that are in the state too."""


@dataclass(frozen=True)
class Made:
    """A resource that an earlier update made.

    Args:
        kind: Pulumi's type token.
        name: Its name on the engine.
        labels: Its labels.
        resource: Its name in the program.
    """

    kind: str
    name: str
    labels: Mapping[str, str] = field(default_factory=dict)
    resource: str = ""

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
    """A stack as its state has it.

    Args:
        made: Its resources.
        outputs: Its outputs, as of the last update that went to its end.
    """

    made: Sequence[Made] = ()
    outputs: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def names(self) -> set[str]:
        """The names on the engine of its resources."""
        return {one.name for one in self.made if one.name}

    @property
    def data_volumes(self) -> set[str]:
        """The names of the volumes that hold data."""
        return {one.name for one in self.made if one.kind == _VOLUME and holds_data(one.name)}

    @property
    def token_keys(self) -> set[str]:
        """The names of the keys that wrap what tokens are encrypted with."""
        begin, end = _TOKEN_KEY
        return {
            one.resource.removeprefix(begin).removesuffix(end)
            for one in self.made
            if one.kind == _KEY and one.resource.startswith(begin) and one.resource.endswith(end)
        }


def state(resources: Iterable[tuple[str, str, Mapping[str, Any]]]) -> State:
    """Return a state, of type tokens, names in the program and outputs of all resources, the stack's among them."""
    found = list(resources)
    outputs = next((outputs for kind, _, outputs in found if kind == _STACK), {})
    return State([_made(kind, name, outputs) for kind, name, outputs in found if kind != _STACK], outputs)


def _made(kind: str, resource: str, outputs: Mapping[str, Any]) -> Made:
    labels = outputs.get("labels")
    pairs = labels if isinstance(labels, list) else []
    return Made(kind, str(outputs.get("name", "")), {one["label"]: one["value"] for one in pairs}, resource)


def holds_data(volume: str) -> bool:
    """Tell by its name whether a volume of this project holds data."""
    return not volume.endswith(_FILES)


def wanted_volumes(naming: Naming, config: StackSettings) -> dict[str, str]:
    """Return the volumes that a config asks for to keep data in, by service."""
    return {one: naming.data_volume(one) for one in KEEPERS if getattr(config, one).storage == "volume"}
