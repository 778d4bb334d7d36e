"""Which commands an environment on a Swarm has; every other one is refused before it begins.

A command that nobody thought of here is refused too: most of them change containers of one engine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from cli.core.errors import UserError

if TYPE_CHECKING:
    from typer._click.core import Command, Parameter

SUPPORTED = frozenset(
    {
        *("up", "down", "destroy", "status", "logs", "drift"),
        *("exec", "shell", "db-shell", "redis-cli", "seed", "keys rotate"),
        *("backup", "restore", "snapshot list", "snapshot delete", "certs", "trust", "untrust", "env"),
    }
)
"""Those that work for it."""

REASONS: Mapping[str, tuple[str, str]] = {
    "clean": (
        "It removes what one engine has, and a Swarm's services start again what was removed.",
        "Run `./dashtam destroy {stack} --no-snapshot`.",
    ),
    "export compose": ("A compose file is for one engine.", "`docker service inspect NAME` shows what a Swarm runs."),
    "graph": (
        "It draws the containers and the network of one engine.",
        "`./dashtam status {stack}` lists services and their replicas.",
    ),
    "open": ("Each node of a Swarm answers at its own address.", "`./dashtam up {stack}` prints the addresses."),
    "rebuild": (
        "Nodes keep images under names that follow from their source.",
        "Run `./dashtam up {stack}`: it builds what changed.",
    ),
    "restart": (
        "The Swarm starts by itself what ends.",
        "`docker service update --force NAME` replaces what runs; `docker service ls` lists the names.",
    ),
    "snapshot create": ("It copies volumes of one engine.", "Run `./dashtam backup {stack} FILE`."),
    "snapshot restore": (
        "It changes volumes of one engine.",
        "Run `./dashtam restore {stack} FILE --no-snapshot` with a file of `./dashtam backup`.",
    ),
}
"""Why others don't, and what does instead."""

OTHERWISE = (
    "It works on the containers of one engine, and those of a Swarm are the Swarm's to make and remove.",
    "docs/guides/many-machines.md lists the commands that work.",
)

LIMITATIONS = (
    "Ports are published on every address of each node, not on 127.0.0.1: dashtam:target.expose consents to that.",
    (
        "A container may gain privileges by a set-user-ID program: the Docker plugin can't declare no-new-privileges"
        ' for a service. Set `"no-new-privileges": true` in daemon.json of each node.'
    ),
    "The number of processes in a container isn't limited: the Docker plugin can't declare it for a service.",
    "Folders in memory, such as /tmp and /dev/shm, have no limit of their own: they count towards the memory limit.",
    "Swap isn't limited: a container may swap as much as its memory limit again, on a node that has swap.",
    "Postgres and Redis run on one node: while it is down, so are they.",
    "An update of the edge ends the connections through one node at a time, and `up` doesn't wait for its end.",
    "What ends is always started again, after five seconds: dashtam:containers.restart holds for one engine.",
)
"""What an engine does for an environment and a Swarm doesn't; `./dashtam doctor` lists it."""

EVERYTHING = frozenset({"clean"})
"""Those that are about all environments of this clone, without naming one."""


def guard(command: Command, path: str) -> None:
    """Let a command, and each in a group, refuse environments on a Swarm that it can't serve."""
    for name, one in getattr(command, "commands", {}).items():
        guard(one, f"{path} {name}")
    if path not in SUPPORTED and command.callback:
        command.callback = _guarded(path, command.callback, [*named(command.params)])


def named(parameters: Iterable[Parameter]) -> Iterator[str]:
    """Yield the names of the parameters that take environments."""
    return (str(one.name) for one in parameters if "ENVIRONMENT" in str(one.metavar))


def _guarded(path: str, callback: Callable[..., Any], names: Iterable[str]) -> Callable[..., Any]:
    def run(**arguments: Any) -> Any:  # noqa: ANN401 - whatever a command takes and returns
        from cli.environments import targets  # noqa: PLC0415 - what only prints help doesn't need it

        given = _words(arguments.get(name) for name in names)
        concerned = made() if path in EVERYTHING else filter(targets.is_swarm, given)
        for stack in concerned:
            raise refusal(path, stack)
        return callback(**arguments)

    return run


def _words(values: Iterable[Any]) -> list[str]:
    return [word for value in values for word in ([value] if isinstance(value, str) else value or ())]


def made() -> Iterator[str]:
    """Yield the environments on a Swarm of which this clone has made anything."""
    from cli.environments import clone, states, targets  # noqa: PLC0415

    here = clone.find()
    return (stack for stack in targets.on_swarms() if here and states.read(here, stack).resources)


def refusal(path: str, stack: str) -> UserError:
    """Return the error of a command that an environment on a Swarm doesn't have."""
    cause, remedy = REASONS.get(path, OTHERWISE)
    return UserError(
        f"`./dashtam {path}` doesn't work for {stack}, which is on a Swarm; nothing was changed.",
        cause=cause,
        remedy=remedy.format(stack=stack),
    )
