"""Load the settings, declare the environment, export what it tells the world."""

from __future__ import annotations

import os
import sys

import pulumi
from pulumi.runtime.config import get_config_env, get_config_secret_keys_env

from infra import earlier, engine, placement, settings, state
from infra.config_errors import ConfigError
from infra.environment import Environment
from infra.naming import Naming
from infra.outputs import StackOutputs
from infra.providers import read_credentials
from infra.recipes import image_source

ERROR_WAS_SHOWN = 32
"""The exit status that tells Pulumi's language host to add nothing to what the program has logged."""


def main() -> None:
    """Declare this stack, or say why it can't be before any resource exists."""
    stack = pulumi.get_stack()
    try:
        placed = placement.read(os.environ.get(placement.VARIABLE)).get(stack) or placement.plain(stack)
        naming = Naming(stack, os.environ.get("DASHTAM_CLONE") or earlier.UNCLAIMED, placed.name)
        config = placed.applied(settings.load(stack, get_config_env(), frozenset(get_config_secret_keys_env())))
        clients = read_credentials(stack, config.providers)
        image_source(config.images)
        engine.require()
        known = state.read(stack)
        earlier.require_own(known, naming)
        earlier.require_kept(known, naming, config)
    except (ConfigError, ValueError, engine.EngineError, earlier.EarlierError) as error:
        pulumi.log.error(str(error))
        sys.exit(ERROR_WAS_SHOWN)
    outputs = Environment(config, naming, clients).outputs
    for name in StackOutputs.model_fields:
        pulumi.export(name, outputs[name])


main()
