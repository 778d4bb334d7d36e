"""Where an environment runs, as its config says: on one engine, or on the machines of a Docker Swarm."""

from __future__ import annotations

from pathlib import Path

from cli.core.paths import ROOT
from cli.environments.configuration import config_file, configured_stacks

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
    from infra.config import file as config  # noqa: PLC0415 - slow to import
    from infra.config.errors import ConfigError  # noqa: PLC0415

    try:
        target = config.read(stack, file).values.get(_KEY)
    except ConfigError:
        return False
    return isinstance(target, dict) and target.get("kind") == _SWARM


def on_swarms(root: Path = ROOT) -> list[str]:
    """Return the configured environments that run on a Swarm."""
    return [stack for stack in configured_stacks(root) if is_swarm(stack, root)]
