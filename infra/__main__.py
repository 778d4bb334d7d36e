"""Load the settings, refuse what must not be done, declare the environment, export its outputs."""

from __future__ import annotations

import os
import sys
from functools import partial

import pulumi
from pulumi.runtime.config import get_config_env, get_config_secret_keys_env

from infra import cluster, engine, guards, identity, recipes, state
from infra.catalogue import POSTGRES, ROOT
from infra.config import placement, settings
from infra.config.errors import ConfigError
from infra.environment import Environment
from infra.language_host import ERROR_WAS_SHOWN
from infra.naming import Naming
from infra.outputs import StackOutputs
from infra.services.providers import read_credentials


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
        running = placed.running(config)
        images = recipes.references(config, running) if config.target.registry else ()
        inventory = cluster.take_inventory(client, config.target, images)
        recipes.image_source(config.images)  # a variable that names none is an error here
        wanted = guards.Wanted(naming, config, running)
        known = state.read(stack)
        # Of a volume that no update has finished, only commands can look whether it has a database.
        may_have_database = not known.names or naming.data_volume(POSTGRES.name) in known.data_volumes
        queries = guards.EngineQueries(
            partial(cluster.keys_in_use, client, config.target, naming.container(POSTGRES.name)),
            partial(engine.not_mountable, client),
            lambda: may_have_database,
        )
        guards.require(known, inventory, wanted, queries)
    except (ConfigError, ValueError, OSError, engine.EngineError, guards.RefusedError) as error:
        pulumi.log.error(str(error))
        sys.exit(ERROR_WAS_SHOWN)
    for line in placement.report(stack, placed, record):
        pulumi.log.info(line)
    outputs = Environment(config, naming, clients, inventory, running).outputs
    for name in StackOutputs.model_fields:
        pulumi.export(name, outputs[name])


main()
