"""Load the settings, refuse what must not be done, declare the environment, export its outputs."""

from __future__ import annotations

import os
import sys
from functools import partial

import pulumi
from pulumi.runtime.config import get_config_env, get_config_secret_keys_env

from infra import engine, guards, identity, state
from infra.catalogue import ROOT
from infra.config import placement, settings
from infra.config.errors import ConfigError
from infra.environment import Environment
from infra.naming import Naming
from infra.outputs import StackOutputs
from infra.recipes import image_source
from infra.services.providers import read_credentials

ERROR_WAS_SHOWN = 32
"""The exit status that keeps Pulumi's language host from adding to what the program has logged."""


def main() -> None:
    """Declare this stack, or log why it can't be before any resource exists."""
    stack, clone = pulumi.get_stack(), os.environ.get("DASHTAM_CLONE", "")
    try:
        guards.require_shell(clone, identity.read(ROOT))
        record = placement.record(ROOT)
        placed = placement.read(record).get(stack) or placement.plain(stack)
        naming = Naming(stack, clone or guards.UNCLAIMED, placed.name)
        config = placed.applied(settings.load(stack, get_config_env(), frozenset(get_config_secret_keys_env())))
        clients = read_credentials(stack, config.providers)
        engine.require()
        client = engine.connect()
        here = engine.look(client)
        running = placed.running(config)
        wanted = guards.Wanted(naming, config, image_source(config.images), running)
        guards.require(
            state.read(stack),
            here,
            wanted,
            partial(engine.keys_in_use, client, naming.container("postgres")),
            partial(engine.not_mountable, client),
        )
    except (ConfigError, ValueError, OSError, engine.EngineError, guards.RefusedError) as error:
        pulumi.log.error(str(error))
        sys.exit(ERROR_WAS_SHOWN)
    if not placed.is_plain(stack):
        pulumi.log.info(placement.report(stack, placed, record))
    if placed.services:
        pulumi.log.info(placement.report_services(stack, placed, record))
    outputs = Environment(config, naming, clients, here.id, running).outputs
    for name in StackOutputs.model_fields:
        pulumi.export(name, outputs[name])


main()
