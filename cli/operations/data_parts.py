"""Which data of an environment lasts, and is kept in snapshots."""

from __future__ import annotations

from dataclasses import replace

import docker

from cli.core.errors import USAGE, UserError
from cli.data.snapshots.helper import Part
from cli.engine.inventory import EngineView
from cli.environments import placements, states
from cli.environments.clone import Clone
from cli.environments.configuration import configuration
from cli.images import source
from infra.catalogue import POSTGRES, REDIS, Base
from infra.config.settings import StackSettings
from infra.naming import Naming


class NothingToKeepError(UserError):
    """The environment has no data that last."""


def parts(client: docker.DockerClient, settings: StackSettings, naming: Naming) -> list[Part]:
    """Return the parts of an environment's data that last, or were to before its config was edited.

    Args:
        client: The engine.
        settings: The environment's settings.
        naming: Its names.

    Returns:
        Postgres, and Redis where its data is kept too.

    Raises:
        NothingToKeepError: Its database is kept in memory.
    """
    stack = naming.environment
    there = volumes(EngineView(client), naming)
    if settings.postgres.storage != "volume" and naming.data_volume(POSTGRES.name) not in there:
        raise NothingToKeepError(
            f"{stack} keeps its data in memory, of which there can be no snapshot.",
            cause=f"Pulumi.{stack}.yaml says `storage: {settings.postgres.storage}` for dashtam:postgres.",
            remedy=f"`./dashtam backup {stack} FILE` keeps what is in its database now.",
            exit_status=USAGE,
        )
    origin = settings.images.source or source.decide(client)
    found = [_part(POSTGRES, settings.images.postgres or POSTGRES.reference(origin), naming)]
    if settings.redis.storage == "volume" or naming.data_volume(REDIS.name) in there:
        found.append(_part(REDIS, settings.images.redis or REDIS.reference(origin), naming))
    return found


def of(client: docker.DockerClient, clone: Clone, stack: str) -> tuple[StackSettings, Naming, list[Part]]:
    """Return an environment's settings, its names and the parts of its data that last.

    Args:
        client: The engine.
        clone: This clone.
        stack: The environment.

    Raises:
        UserError: Its config is wrong.
        NothingToKeepError: Its database is kept in memory.
    """
    settings, naming = configuration(clone.root, stack), placements.naming(clone, stack)
    view = EngineView(client)
    return settings, naming, [_readable(view, clone, naming, one) for one in parts(client, settings, naming)]


def _readable(view: EngineView, clone: Clone, naming: Naming, part: Part) -> Part:
    """Return a part with an image that is here: else the one that its service runs, or ran before `down`."""
    if view.image_document(part.image):
        return part
    runs = {one.component: one.image for one in view.containers(naming.environment, naming.owner)}
    ran = states.read(clone, naming.environment).outputs.get("images") or {}
    known = (runs.get(part.service), ran.get(part.service))
    return replace(part, image=next((one for one in known if one and view.image_document(one)), part.image))


def volumes(view: EngineView, naming: Naming) -> frozenset[str]:
    """Return the names of the volumes on the engine that this clone made.

    Args:
        view: The engine.
        naming: An environment's names.
    """
    return frozenset(held.name for held in view.holdings() if held.kind == "volume" and held.owner == naming.owner)


def _part(base: Base, image: str, naming: Naming) -> Part:
    return Part(base.name, naming.data_volume(base.name), image, base.user)
