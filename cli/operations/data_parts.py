"""Which data of an environment lasts, and is copied into snapshots."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from functools import partial

from docker.errors import DockerException

from cli.core.errors import UserError
from cli.data.snapshots import store
from cli.data.snapshots.helper import Part, helper
from cli.engine.streams import CommandError
from cli.environments import states
from cli.environments.configuration import configuration
from cli.environments.handle import EnvironmentHandle
from cli.images import source
from infra import guards
from infra.catalogue import POSTGRES, REDIS, Base
from infra.config.settings import StackSettings
from infra.config.values import megabytes
from infra.naming import Naming
from infra.outputs import Database


class NoPersistentDataError(UserError):
    """The environment has no data that lasts."""


def parts_by_config(environment: EnvironmentHandle) -> tuple[StackSettings, list[Part]]:
    """Return an environment's settings and the parts of its data that last: Postgres, and Redis if it does.

    They last by the config, or did before it was edited.
    """
    stack, naming = environment.name, environment.naming
    settings, volumes = configuration(environment.clone.root, stack), environment.own_engine.volumes(naming.owner)
    if settings.postgres.storage != "volume" and naming.data_volume(POSTGRES.name) not in volumes:
        raise NoPersistentDataError(
            f"{stack} stores its data in memory, so there can be no snapshot of it.",
            cause=f"Pulumi.{stack}.yaml has `storage: {settings.postgres.storage}` for dashtam:postgres.",
            remedy=f"`./dashtam backup {stack} FILE` saves what is in its database now.",
        )
    origin = settings.images.source or source.decide(environment.client)
    found = [_part(POSTGRES, settings.images.postgres or POSTGRES.reference(origin), naming, settings.postgres.memory)]
    if settings.redis.storage == "volume" or naming.data_volume(REDIS.name) in volumes:
        found.append(_part(REDIS, settings.images.redis or REDIS.reference(origin), naming, settings.redis.memory))
    return settings, [_readable(environment, one) for one in found]


def parts_by_config_or_state(environment: EnvironmentHandle) -> tuple[Database, list[Part]]:
    """Return an environment's database and the parts of its data that last.

    Where the config is not valid, they are what Pulumi's state says of the last update.
    """
    try:
        settings, found = parts_by_config(environment)
    except NoPersistentDataError:
        raise
    except UserError:
        naming, outputs = environment.naming, states.read(environment.clone, environment.name).outputs
        volumes = environment.own_engine.volumes(naming.owner)
        if not outputs or naming.data_volume(POSTGRES.name) not in volumes:
            raise
        origin = partial(source.decide, environment.client)
        found = [
            Part(one.name, volume, outputs["images"].get(one.name) or one.reference(origin()), one.user)
            for one in (POSTGRES, REDIS)
            if (volume := naming.data_volume(one.name)) in volumes
        ]
        return Database.model_validate(outputs["database"]), found
    return Database(name=settings.postgres.database, user=settings.postgres.user), found


def has_database(environment: EnvironmentHandle) -> bool:
    """Look into an environment's volume whether a database was made there; true where nothing can look."""
    with suppress(UserError, CommandError, DockerException):
        _, (postgres, *_) = parts_by_config(environment)
        with helper(environment, postgres) as opened:
            return bool(opened.script("cat PG_VERSION 2>/dev/null || true").strip())
    return True


def missing_data_hint(environment: EnvironmentHandle) -> str:
    """Return how data that is missing can be restored, for example after an interrupted `destroy`; else nothing."""
    clone, stack = environment.clone, environment.name
    wanted = guards.wanted_volumes(environment.naming, configuration(clone.root, stack))
    volumes = {one["Name"] for one in environment.view.volume_documents()}
    missing = [one for one, volume in wanted.items() if volume not in volumes]
    if not missing or not (names := store.of(clone, stack).names()):
        return ""
    return (
        f"{stack} starts without its data of {' and '.join(missing)}. Restore the last snapshot:"
        f" `./dashtam snapshot restore {stack} {names[-1]}`."
    )


def _readable(environment: EnvironmentHandle, part: Part) -> Part:
    """Return a part with an image on this engine: else the one that its service runs, or ran before `down`."""
    engine, clone, stack = environment.own_engine, environment.clone, environment.name
    if engine.image_document(part.image):
        return part
    runs = {one.component: one.image for one in engine.containers(stack, clone.id)}
    ran = states.read(clone, stack).outputs.get("images") or {}
    known = (runs.get(part.service), ran.get(part.service))
    return replace(part, image=next((one for one in known if one and engine.image_document(one)), part.image))


def _part(base: Base, image: str, naming: Naming, memory: str) -> Part:
    return Part(base.name, naming.data_volume(base.name), image, base.user, megabytes(memory))
