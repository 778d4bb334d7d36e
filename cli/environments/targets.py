"""Where an environment runs, as its config says: on one engine, or on the machines of a Docker Swarm."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cli.core.paths import ROOT
from cli.environments.configuration import config_file, configured_stacks

if TYPE_CHECKING:
    from docker import DockerClient

    from cli.engine.inventory import EngineView

_KEY = "dashtam:target"
_SWARM = "swarm"


def is_swarm(stack: str, root: Path = ROOT) -> bool:
    """Return whether an environment is to run on a Swarm; a config that can't be read doesn't say so."""
    return _swarm(stack, root) is not None


def on_swarms(root: Path = ROOT) -> list[str]:
    """Return the configured environments that run on a Swarm."""
    return [stack for stack in configured_stacks(root) if is_swarm(stack, root)]


def view(client: DockerClient, root: Path = ROOT) -> EngineView:
    """Return the engine, with the Swarm that it manages if an environment is on one."""
    from cli.engine.inventory import EngineView  # noqa: PLC0415 - slow to import

    found = {stack: target for stack in configured_stacks(root) if (target := _swarm(stack, root)) is not None}
    if not found:
        return EngineView(client)
    from cli.engine.swarm import SwarmView  # noqa: PLC0415

    nodes = {name: str(address) for one in found.values() for name, address in (one.get("nodes") or {}).items()}
    data_nodes = {stack: str(one.get("data_node")) for stack, one in found.items()}
    return SwarmView(client, nodes, data_nodes, {stack: one.get("replicas") or {} for stack, one in found.items()})


def _swarm(stack: str, root: Path) -> Mapping[str, Any] | None:
    """Return what the config says of the Swarm; None where it names none, or can't be read."""
    file = config_file(stack, root)
    try:
        # Reading YAML takes long, and most configs have no such word.
        if _SWARM.encode() not in file.read_bytes():
            return None
    except OSError:
        return None
    from infra.config import file as config  # noqa: PLC0415 - slow to import
    from infra.config.errors import ConfigError  # noqa: PLC0415

    try:
        target = config.read(stack, file).values.get(_KEY)
    except ConfigError:
        return None
    return target if isinstance(target, dict) and target.get("kind") == _SWARM else None
