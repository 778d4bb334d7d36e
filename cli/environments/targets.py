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
    file = config_file(stack, root)
    try:
        # Reading YAML takes long, and most configs have no such word.
        if _SWARM.encode() not in file.read_bytes():
            return False
    except OSError:
        return False
    return _target(stack, root).get("kind") == _SWARM


def on_swarms(root: Path = ROOT) -> list[str]:
    """Return the configured environments that run on a Swarm."""
    return [stack for stack in configured_stacks(root) if is_swarm(stack, root)]


def view(client: DockerClient, root: Path = ROOT) -> EngineView:
    """Return the engine, with the Swarm that it manages if an environment is on one."""
    found = {stack: _target(stack, root) for stack in on_swarms(root)}
    from cli.engine.inventory import EngineView  # noqa: PLC0415 - slow to import

    if not found:
        return EngineView(client)
    from cli.engine.swarm import SwarmView  # noqa: PLC0415

    nodes = {name: str(address) for one in found.values() for name, address in (one.get("nodes") or {}).items()}
    return SwarmView(client, nodes, {stack: str(one.get("data_node")) for stack, one in found.items()})


def _target(stack: str, root: Path) -> Mapping[str, Any]:
    from infra.config import file as config  # noqa: PLC0415 - slow to import
    from infra.config.errors import ConfigError  # noqa: PLC0415

    try:
        target = config.read(stack, config_file(stack, root)).values.get(_KEY)
    except ConfigError:
        return {}
    return target if isinstance(target, dict) else {}
