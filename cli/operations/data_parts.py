"""Which data of an environment lasts, and is copied into snapshots."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

import docker
from docker.errors import DockerException

from cli.core.errors import UserError
from cli.data.snapshots import store
from cli.data.snapshots.helper import Part, helper
from cli.engine.inventory import EngineView
from cli.engine.streams import CommandError
from cli.environments import placements, states
from cli.environments.clone import Clone
from cli.environments.configuration import configuration
from cli.images import source
from infra import guards
from infra.catalogue import POSTGRES, REDIS, Base
from infra.config.settings import StackSettings
from infra.config.values import megabytes
from infra.naming import Naming
from infra.outputs import Database


class NoPersistentDataError(UserError):
    """The environment has no data that lasts."""


def parts_by_config(client: docker.DockerClient, clone: Clone, stack: str) -> tuple[StackSettings, Naming, list[Part]]:
    """Return an environment's settings, its names and the parts of its data that last: Postgres, and Redis if it does.

    They last by the config, or did before it was edited.
    """
    settings, naming, view = configuration(clone.root, stack), placements.naming(clone, stack), EngineView(client)
    volumes = view.volumes(naming.owner)
    if settings.postgres.storage != "volume" and naming.data_volume(POSTGRES.name) not in volumes:
        raise NoPersistentDataError(
            f"{stack} stores its data in memory, so there can be no snapshot of it.",
            cause=f"Pulumi.{stack}.yaml has `storage: {settings.postgres.storage}` for dashtam:postgres.",
            remedy=f"`./dashtam backup {stack} FILE` saves what is in its database now.",
        )
    origin = settings.images.source or source.decide(client)
    found = [_part(POSTGRES, settings.images.postgres or POSTGRES.reference(origin), naming, settings.postgres.memory)]
    if settings.redis.storage == "volume" or naming.data_volume(REDIS.name) in volumes:
        found.append(_part(REDIS, settings.images.redis or REDIS.reference(origin), naming, settings.redis.memory))
    return settings, naming, [_readable(view, clone, naming, one) for one in found]


def parts_by_config_or_state(
    client: docker.DockerClient, clone: Clone, stack: str
) -> tuple[Database, Naming, list[Part]]:
    """Return an environment's database, its names and the parts of its data that last.

    Where the config is not valid, they are what Pulumi's state says of the last update.
    """
    try:
        settings, naming, found = parts_by_config(client, clone, stack)
    except NoPersistentDataError:
        raise
    except UserError:
        naming, outputs = placements.naming(clone, stack), states.read(clone, stack).outputs
        volumes = EngineView(client).volumes(naming.owner)
        if not outputs or naming.data_volume(POSTGRES.name) not in volumes:
            raise
        found = [
            Part(one.name, volume, outputs["images"].get(one.name) or one.reference(source.decide(client)), one.user)
            for one in (POSTGRES, REDIS)
            if (volume := naming.data_volume(one.name)) in volumes
        ]
        return Database.model_validate(outputs["database"]), naming, found
    return Database(name=settings.postgres.database, user=settings.postgres.user), naming, found


def has_database(client: docker.DockerClient, clone: Clone, stack: str) -> bool:
    """Look into an environment's volume whether a database was made there; true where nothing can look."""
    with suppress(UserError, CommandError, DockerException):
        _, naming, (postgres, *_) = parts_by_config(client, clone, stack)
        with helper(client, naming, postgres) as opened:
            return bool(opened.script("cat PG_VERSION 2>/dev/null || true").strip())
    return True


def missing_data_hint(clone: Clone, view: EngineView, stack: str) -> str:
    """Return how data that is missing can be restored, for example after an interrupted `destroy`; else nothing."""
    naming, config = placements.naming(clone, stack), configuration(clone.root, stack)
    volumes = {one["Name"] for one in view.volume_documents()}
    missing = [one for one, volume in guards.wanted_volumes(naming, config).items() if volume not in volumes]
    if not missing or not (names := store.of(clone, stack).names()):
        return ""
    return (
        f"{stack} starts without its data of {' and '.join(missing)}. Restore the last snapshot:"
        f" `./dashtam snapshot restore {stack} {names[-1]}`."
    )


def _readable(view: EngineView, clone: Clone, naming: Naming, part: Part) -> Part:
    """Return a part with an image on this engine: else the one that its service runs, or ran before `down`."""
    if view.image_document(part.image):
        return part
    runs = {one.component: one.image for one in view.containers(naming.environment, naming.owner)}
    ran = states.read(clone, naming.environment).outputs.get("images") or {}
    known = (runs.get(part.service), ran.get(part.service))
    return replace(part, image=next((one for one in known if one and view.image_document(one)), part.image))


def _part(base: Base, image: str, naming: Naming, memory: str) -> Part:
    return Part(base.name, naming.data_volume(base.name), image, base.user, megabytes(memory))
