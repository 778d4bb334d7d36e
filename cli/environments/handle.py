"""The environment that a command is for, as the engine has it now: for commands that don't change Pulumi's state."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

import docker

from cli.core.errors import UsageError, UserError, did_you_mean
from cli.engine.connect import connect
from cli.engine.container import ContainerView, rank
from cli.engine.inventory import EngineView
from cli.environments import clone, targets
from cli.environments.clone import Clone
from cli.environments.configuration import config_file, configuration, require_configured
from infra.naming import SANDBOX, SERVICES, Naming


@dataclass(frozen=True)
class EnvironmentHandle:
    """One environment of this clone, with the engine, or the Swarm, as `targets.view` shows it."""

    name: str
    clone: Clone
    view: EngineView

    @property
    def client(self) -> docker.DockerClient:
        """The engine's client; several threads may send requests with it."""
        return self.view.client

    @property
    def own_engine(self) -> EngineView:
        """The client's engine alone, without other nodes of a Swarm: only there are volumes mounted and copied."""
        return EngineView(self.client)

    @property
    def naming(self) -> Naming:
        """The names of what belongs to it, where it is placed now."""
        from cli.environments import placements  # noqa: PLC0415 - slow to import

        return placements.naming(self.clone, self.name)

    def services(self) -> list[ContainerView]:
        """Return the containers of its services, running or not, in the order of `SERVICES`."""
        found = [one for one in self.view.containers(self.name, self.clone.id) if one.is_service]
        return sorted(found, key=lambda one: (rank(one.component), one.name))

    def service(self, name: str) -> ContainerView:
        """Return the container of a service."""
        found = self.services()
        known = dict.fromkeys([*SERVICES, *(one.component for one in found)])
        if name.partition(".")[0] not in known:
            raise UsageError(
                f"There is no service {name!r}.",
                cause=f"Services are: {', '.join(known)}.",
                remedy=did_you_mean(name, known).strip() or f"`./dashtam status {self.name}` lists its services.",
            )
        # Of several replicas, one that a command can use.
        named = [one for one in found if name in {one.component, one.replica}]
        for one in sorted(named, key=lambda one: (one.state != "running", not self.view.reaches(one))):
            return one
        if name == SANDBOX and not configuration(self.clone.root, self.name).sandbox.enabled:
            raise UserError(
                f"{self.name} has no {SANDBOX}.",
                cause=f"dashtam:{SANDBOX}.enabled is false in {config_file(self.name).name}.",
                remedy=f"Set it to true, then run `./dashtam up {self.name}`.",
            )
        raise not_running(self.name, f"The {name} of {self.name}")

    def chosen(self, names: Sequence[str] | None) -> list[ContainerView]:
        """Return the containers of some services, running or not, in the order of `SERVICES`."""
        found = {self.service(name).component for name in names or ()}
        services = [one for one in self.services() if not found or one.component in found]
        if not services:
            raise not_running(self.name)
        return services

    def running(self, name: str) -> ContainerView:
        """Return the container of a service that runs."""
        found = self.service(name)
        if found.state != "running":
            cause = f"Its container {found.name} is {found.state}.{f' {found.error}.' if found.error else ''}"
            raise not_running(self.name, f"The {name} of {self.name}", cause)
        return found


def not_running(environment: str, what: str = "", cause: str = "") -> UserError:
    """Return the error for an environment that isn't up, or for what of it isn't."""
    what = what or environment
    return UserError(
        f"{what} is not running.",
        cause=cause,
        remedy=f"Bring it up first: `./dashtam up {environment}`.",
    )


def of(environment: str) -> EnvironmentHandle:
    """Return an environment."""
    here, view = require(environment), targets.view(connect())
    if home := clone.unseen_home(here):
        from cli.environments import kept_elsewhere  # noqa: PLC0415 - few checkouts are shared by machines

        kept_elsewhere.require_known(here, view, home, os.environ)
    return EnvironmentHandle(environment, here, view)


def require(environment: str) -> Clone:
    """Make sure that there is an environment of a name, also where the link that is its config was cleaned away."""
    here = clone.current()
    if not config_file(environment).exists():
        from cli.environments import named_environments  # noqa: PLC0415 - only a link that was cleaned away needs it

        named_environments.restore(here)
    require_configured(environment)
    return here
