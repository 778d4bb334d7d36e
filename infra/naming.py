"""Names and labels of everything that a stack makes. Pure: they follow from the stack's and the clone's names alone."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

PROJECT = "dashtam"
SANDBOX = "sandbox"
"""The service, and the provider, that an environment may bring along."""
SERVICES = ("postgres", "redis", "app", "callback", SANDBOX)
"""All that an environment may have, in the order in which they can start; the sandbox can be switched off."""
NEEDS: Mapping[str, Collection[str]] = {
    "postgres": (),
    "redis": (),
    "app": ("postgres", "redis", SANDBOX),
    "callback": ("app",),
    SANDBOX: ("redis",),
}
"""What each service depends on, where the environment has it."""
WITH_DATA = ("postgres", "redis")
"""The services that keep data."""
FILES = "files"
"""The component that installs the services' certificates and secrets."""
FILES_MOUNT = "/files"
"""Where it has the folder of each service."""
EDGE = "edge"
"""What publishes the ports of an environment on a Swarm."""
DEBUGGER = "debugger"
"""What publishes a port besides the services."""
MAX_NAME_LENGTH = 40
"""The most characters that a stack's name has: host names of its services then keep to the 63 of RFC 1123, 2.1."""
SHAPE = f"1 to {MAX_NAME_LENGTH} lower-case letters, digits and inner hyphens, such as review-42"
FORM = f"an environment's name is part of host names: {SHAPE}"
_ENVIRONMENT = re.compile(rf"[a-z0-9](?:[a-z0-9-]{{0,{MAX_NAME_LENGTH - 2}}}[a-z0-9])?")

PROJECT_LABEL = "dashtam.project"
STACK_LABEL = "dashtam.stack"
COMPONENT_LABEL = "dashtam.component"
OWNER_LABEL = "dashtam.owner"
FILES_LABEL = "dashtam.files"
"""A digest of the files that a container reads at its start: with others it is replaced."""


def is_name(text: str) -> bool:
    """Return whether a text can be an environment's name."""
    return _ENVIRONMENT.fullmatch(text) is not None


@dataclass(frozen=True)
class Naming:
    """The names of one environment; a ValueError where its name can't be part of a container's and a host's name."""

    environment: str
    """The stack's name: lower-case letters, digits and hyphens, at most 40."""
    owner: str
    """The clone that owns the environment."""
    placed: str = ""
    """What stands for the stack in names, where that is not its own name; of the same form."""

    def __post_init__(self) -> None:
        for name in (self.environment, self.name):
            if not is_name(name):
                raise ValueError(f"the stack name {name!r} can't be part of container and host names: use {SHAPE}")

    @property
    def name(self) -> str:
        """What stands for the stack in names; no two environments on an engine share it."""
        return self.placed or self.environment

    @property
    def network(self) -> str:
        """The network's name."""
        return f"{PROJECT}-{self.name}-network"

    def container(self, component: str) -> str:
        """Return a component's container name."""
        return f"{PROJECT}-{self.name}-{component}"

    def data_volume(self, component: str) -> str:
        """Return the name of the volume that keeps a component's data."""
        return f"{component}_{self.name}_data"

    def files_volume(self, component: str) -> str:
        """Return the name of the volume that holds a component's secrets and settings as files."""
        return f"{PROJECT}-{self.name}-{component}-files"

    @property
    def names(self) -> frozenset[str]:
        """Every name on the engine that the environment may need."""
        return frozenset(
            {
                self.network,
                *(self.container(one) for one in (*SERVICES, FILES, EDGE)),
                *(self.data_volume(one) for one in SERVICES),
                *(self.files_volume(one) for one in SERVICES),
            }
        )

    def hosts(self, service: str) -> tuple[str, ...]:
        """Return every name by which a service is reached, inside its network and from the host."""
        return (service, self.container(service), "localhost")

    def labels(self, component: str) -> dict[str, str]:
        """Return the labels by which status, clean-up and adoption checks find what belongs to the environment."""
        return {
            PROJECT_LABEL: PROJECT,
            STACK_LABEL: self.environment,
            COMPONENT_LABEL: component,
            OWNER_LABEL: self.owner,
        }
