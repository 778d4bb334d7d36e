"""Restores a snapshot: copied beside the old data and opened there, and only then put in its place."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from app.tokens.rekeying import Rekeyed
from app.tokens.vault import MasterKeys
from cli.core import signals
from cli.core.errors import UserError
from cli.core.parallel import each
from cli.data import restore_journal, sealed_secrets
from cli.data.restore_journal import Entry, Phase
from cli.data.sealed_secrets import Sealed
from cli.data.snapshots import installed_secrets, manifest, session_key, staged_credentials, staging, store, volume_swap
from cli.data.snapshots.helper import Helper, Part, helper
from cli.data.snapshots.manifest import Manifest
from cli.data.snapshots.staged_credentials import Credentials
from cli.engine import health
from cli.environments import environment_lock
from cli.environments.handle import EnvironmentHandle
from cli.operations import data_parts, finish_restore, preflight, snapshot_before_loss
from cli.operations.session import Session
from cli.operations.up import up
from cli.operations.update.progress import UpdateProgress, display
from cli.pulumi import locks
from cli.ui.console import announce, err
from cli.ui.progress import transfer
from infra.config.settings import StackSettings


@dataclass(frozen=True)
class Restored:
    """A snapshot that was restored.

    `rewrapped` data keys got the environment's present master key; `lost` linked accounts can't be read any more.
    """

    environment: str
    name: str
    bytes: int
    seconds: float
    down_seconds: float
    rewrapped: int
    lost: int


@dataclass(frozen=True)
class _Plan:
    environment: EnvironmentHandle
    settings: StackSettings
    parts: Sequence[Part]
    folder: Path
    made: Manifest


def restore(session: Session, stack: str, name: str, *, snapshot: bool = False) -> Restored:
    """Replace an environment's data with a snapshot, and leave the environment healthy.

    Nothing is changed if there is no such snapshot, or if it is damaged or doesn't fit.
    """
    began = time.monotonic()
    environment = session.environment(stack)
    plan = _plan(environment, name)
    with transfer(f"Verifying {name}", plan.made.size) as count:
        manifest.verify(plan.folder, plan.made, count)
    with environment_lock.held(session.clone, stack):
        # The data of an environment that is made only now needs no snapshot.
        snapshot = snapshot and snapshot_before_loss.has_data(environment)
        plan = _prepare(session, environment, name)
        finish_restore.finish(environment)
        if snapshot:
            snapshot_before_loss.before_replacing(environment)
        rekeyed = _stage(plan)
        stopped = time.monotonic()
        with display([stack], err) as (progress,):
            for one in volume_swap.running_users(environment):
                progress.show(one.component, "stopping")
            with signals.postponed():
                running = _swap(environment)
            is_healthy = _is_complete(environment, running) and _becomes_healthy(environment, progress)
    if not is_healthy:
        up(session, stack)
    ended = time.monotonic()
    return Restored(stack, name, plan.made.size, ended - began, ended - stopped, rekeyed.rewrapped, rekeyed.lost)


def _plan(environment: EnvironmentHandle, name: str) -> _Plan:
    """Return how a snapshot is restored into an environment as it is now; a UserError if it doesn't fit."""
    settings, found = data_parts.parts_by_config(environment)
    snapshots = store.of(environment.clone, environment.name)
    made = snapshots.read(name)
    parts = [one for one in found if one.service in made.images]
    plan = _Plan(environment, settings, parts, snapshots.path(name), made)
    _require_fitting(plan)
    return plan


def _require_fitting(plan: _Plan) -> None:
    made, wanted, stack = plan.made, plan.settings.postgres, plan.environment.name
    if (made.database, made.user) != (wanted.database, wanted.user):
        raise UserError(
            f"The snapshot {made.name} doesn't fit {stack}; nothing was changed.",
            cause=f"It holds the database {made.database} of {made.user}, and the config names {wanted.database} of"
            f" {wanted.user}.",
            remedy=f"Set these in Pulumi.{stack}.yaml as they were.",
        )
    if missing := sorted({*made.images} - {one.service for one in plan.parts}):
        service = missing[0]
        raise UserError(
            f"The snapshot {made.name} doesn't fit {stack}; nothing was changed.",
            cause=f"It holds the data of {service}, which the config stores in memory.",
            remedy=f"Set dashtam:{service}.storage to volume in Pulumi.{stack}.yaml.",
        )


def _prepare(session: Session, environment: EnvironmentHandle, name: str) -> _Plan:
    """Make sure that there are the volumes and secrets, and that the update is possible that starts what is down.

    Returns the plan for the environment as it is then: an update may place it under other names.
    """
    stack = environment.name
    locks.release_dead(session.pulumi, stack)
    plan = _plan(environment, name)
    runs = len(volume_swap.running_users(environment)) >= len(volume_swap.USERS_OF_DATA)
    is_made = _is_made(plan)
    if is_made and runs:
        return plan  # it has its secrets, which only a container can look for
    if is_made and _has_secrets(plan):
        preflight.require_possible(session, stack)
    else:
        announce(f"{stack} does not exist yet: bringing it up first.")
        up(session, stack, hint=False)
    return _plan(environment, name)


def _is_made(plan: _Plan) -> bool:
    """Return whether the environment has its volumes, and images to open the data with.

    It need not have containers: the present data may be so damaged that no service starts on it. One that runs may lack
    the volumes of a config that was edited since.
    """
    naming, engine = plan.environment.naming, plan.environment.own_engine
    volumes = {*installed_secrets.volumes(naming, plan.parts[0]), *(one.volume for one in plan.parts)}
    return volumes <= engine.volumes(naming.owner) and all(engine.image_document(one.image) for one in plan.parts)


def _has_secrets(plan: _Plan) -> bool:
    """Return whether the secrets are installed that the data is opened with."""
    naming, part = plan.environment.naming, plan.parts[0]
    with helper(plan.environment, part, beside=installed_secrets.volumes(naming, part)) as postgres:
        names = (sealed_secrets.TOKEN_KEYS, installed_secrets.PASSWORD)
        return all(installed_secrets.installed(postgres, naming, name) for name in names)


def _stage(plan: _Plan) -> Rekeyed:
    """Copy the data beside the old data and open it there; nothing else is touched."""
    environment, naming = plan.environment, plan.environment.naming
    journal = restore_journal.of(environment.clone, environment.name)
    entry = Entry(format=2, snapshot=plan.made.name, phase=Phase.STAGING, parts=tuple(plan.parts))
    journal.write(entry.model_copy(update={"former": journal.read()}))
    try:
        with ExitStack() as held:
            helpers = [
                held.enter_context(helper(environment, one, writes=True, beside=installed_secrets.volumes(naming, one)))
                for one in plan.parts
            ]
            _require_version(plan, helpers[0])
            staging.stage(plan.folder, plan.made, helpers)
            rekeyed = _open(plan, helpers)
            sealed_key = _session_key(plan, helpers[0])
            for one in helpers:
                one.script("sync")
    except BaseException:
        # If this is killed before its end, the next command does it.
        finish_restore.apply_journal(environment)
        raise
    journal.write(entry.model_copy(update={"phase": Phase.SWAPPING, "session_key": sealed_key}))
    return rekeyed


def _require_version(plan: _Plan, postgres: Helper) -> None:
    made, stack = plan.made, plan.environment.name
    runs = postgres.script("postgres --version").split()[2].split(".")[0]
    if runs != made.postgres:
        raise UserError(
            f"The snapshot {made.name} is of PostgreSQL {made.postgres}, and {stack} runs {runs}; nothing was changed.",
            cause="A database's files are read by the major version that wrote them only.",
            remedy=f"Set dashtam:images in Pulumi.{stack}.yaml to an image of PostgreSQL {made.postgres}, or move the"
            " data with `./dashtam backup` and `./dashtam restore`.",
        )


def _open(plan: _Plan, helpers: Sequence[Helper]) -> Rekeyed:
    postgres, *others = helpers
    clone, naming = plan.environment.clone, plan.environment.naming
    present = installed_secrets.require_installed(postgres, naming, sealed_secrets.TOKEN_KEYS)
    former = _sealed(plan, sealed_secrets.TOKEN_KEYS)
    credentials = Credentials(
        postgres=plan.settings.postgres,
        password=installed_secrets.require_installed(postgres, naming, installed_secrets.PASSWORD),
        present_keys=MasterKeys.parse(present),
        former_keys=sealed_secrets.unseal_token_keys(clone.passphrase_file, former) if former else None,
    )
    for one in others:
        staged_credentials.check_redis_loads(one)
    return staged_credentials.set_current_credentials(postgres, credentials)


def _session_key(plan: _Plan, postgres: Helper) -> Sealed | None:
    """Return the session key of the data, if this clone can open it and the environment has another one."""
    environment, name = plan.environment, sealed_secrets.SESSION_KEY
    sealed = _sealed(plan, name)
    former = sealed_secrets.unseal(environment.clone.passphrase_file, name, sealed) if sealed else None
    return sealed if former and former != installed_secrets.installed(postgres, environment.naming, name) else None


def _sealed(plan: _Plan, name: str) -> Sealed | None:
    if name not in plan.made.pieces:
        return None
    return Sealed.model_validate_json((plan.folder / name).read_bytes())


def _swap(environment: EnvironmentHandle) -> list[str]:
    """Put the new data in the place of the old, which can't be undone; return the containers that run again."""
    running = volume_swap.stop(environment)
    finish_restore.apply_journal(environment)
    each(environment.client.api.start, running)
    return running


def _is_complete(environment: EnvironmentHandle, running: Sequence[str]) -> bool:
    """Return whether all that use the data run again, with the session key that the data needs."""
    return len(running) >= len(volume_swap.USERS_OF_DATA) and not session_key.pending(environment)


def _becomes_healthy(environment: EnvironmentHandle, progress: UpdateProgress) -> bool:
    engine, owner = environment.own_engine, environment.clone.id
    is_healthy, _ = health.settled(engine, environment.name, owner, look=progress.on_started)
    return is_healthy
