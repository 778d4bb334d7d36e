"""The images of an environment on a Swarm: made on the manager's engine, and brought to where its nodes find them."""

from __future__ import annotations

from cli.environments import placements
from cli.environments.configuration import configuration
from cli.images import build, nodes, rebuild
from cli.images.local import is_local, local_references
from cli.operations.session import Session
from infra import recipes
from infra.catalogue import ALL


def provide(session: Session, stack: str) -> None:
    """Make the images that are missing, and push them, or load them on each node."""
    config = configuration(session.clone.root, stack)
    running = placements.of(session.clone, stack).running(config)
    build.ensure(session.client, recipes.image_source(config.images, session.environ), bases=ALL)
    local = local_references(session.client)
    images = rebuild.chosen(config, (), session.environ)
    missing = {reference: image for reference, image in images.items() if not is_local(reference, local)}
    rebuild.rebuild(session.client, missing, cache=True)
    wanted = recipes.references(config, running, session.environ)
    if config.target.registry:
        nodes.push(session.client, config.target.registry, wanted)
        return
    engines = {name: session.swarm.node(name).client for name in sorted(config.target.nodes)}
    nodes.load(session.client, engines, wanted)
