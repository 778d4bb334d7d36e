"""Puts a snapshot back: brought beside the old data and opened there, and only then put in its place."""

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
from cli.data import restore_journal as journal
from cli.data import sealed_secrets as keys
from cli.data.encryption import Sealed
from cli.data.restore_journal import Entry, Phase
from cli.data.snapshots import before, manifest, staged_credentials, staging, store
from cli.data.snapshots import session_key as session_keys
from cli.data.snapshots import volume_swap as swap
from cli.data.snapshots.helper import Helper, Part, helper
from cli.data.snapshots.manifest import Manifest
from cli.engine import health
from cli.engine.inventory import EngineView
from cli.environments import environment_lock
from cli.operations import data_parts as parts
from cli.operations.session import Session
from cli.operations.up import up
from cli.ui.console import err
from cli.ui.progress import transfer
from infra.config.settings import StackSettings
from infra.naming import Naming


@dataclass(frozen=True)
class Restored:
    """A snapshot that was put back.

    Args:
        environment: In which environment.
        name: The snapshot.
        bytes: Its size.
        seconds: How long it took.
        down_seconds: How long the services were down meanwhile.
        rewrapped: How many data keys got the environment's present master key.
        lost: How many linked accounts can't be read any more.
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
    session: Session
    settings: StackSettings
    naming: Naming
    parts: Sequence[Part]
    folder: Path
    made: Manifest


def restore(session: Session, stack: str, name: str, *, snapshot: bool = False) -> Restored:
    """Put a snapshot in the place of an environment's data, and leave the environment healthy.

    Args:
        session: The prepared clone.
        stack: The environment.
        name: The snapshot.
        snapshot: Whether a snapshot is taken of what is replaced.

    Returns:
        What was done.

    Raises:
        UserError: There is no such snapshot, it is damaged or of another version; nothing was changed then.
    """
    began = time.monotonic()
    settings, naming, found = parts.of(session.client, session.clone, stack)
    kept = store.of(session.clone, stack)
    made = kept.read(name)
    plan = _Plan(session, settings, naming, [one for one in found if one.service in made.images], kept.path(name), made)
    _require_fitting(plan)
    with transfer(f"Verifying {name}", made.size) as count:
        manifest.verify(plan.folder, made, count)
    # What an environment has that is made only now is not worth a snapshot.
    snapshot = snapshot and before.has_data(session.client, session.clone, stack)
    if not _is_made(plan):
        err.print(f"{stack} is not made yet: bringing it up first.", highlight=False)
        up(session, stack, hint=False)
    with environment_lock.held(session.clone, stack):
        swap.finish(session.client, session.clone, naming)
        if snapshot:
            before.take(session.client, session.clone, stack)
        fitted = _stage(plan)
        stopped = time.monotonic()
        with signals.postponed():
            running = _replace(plan)
            each(session.client.api.start, running)
    _resume(plan, running)
    ended = time.monotonic()
    return Restored(stack, name, made.size, ended - began, ended - stopped, fitted.rewrapped, fitted.lost)


def _require_fitting(plan: _Plan) -> None:
    made, wanted = plan.made, plan.settings.postgres
    if (made.database, made.user) != (wanted.database, wanted.user):
        raise UserError(
            f"The snapshot {made.name} doesn't fit {plan.naming.environment}; nothing was changed.",
            cause=f"It holds the database {made.database} of {made.user}, and the config names {wanted.database} of"
            f" {wanted.user}.",
            remedy=f"Set these in Pulumi.{plan.naming.environment}.yaml as they were.",
        )


def _is_made(plan: _Plan) -> bool:
    """Tell whether the environment has its volumes and its secrets: it has not if it never came up to the end."""
    view, naming = EngineView(plan.session.client), plan.naming
    containers = {one.component for one in view.containers(naming.environment, naming.owner)}
    wanted = {one.volume for one in plan.parts} | {one for part in plan.parts for one in keys.volumes(naming, part)}
    return containers >= set(plan.settings.services) and wanted <= parts.volumes(view, naming)


def _stage(plan: _Plan) -> Rekeyed:
    """Bring the data beside the old and open it there; nothing else is touched."""
    noted = journal.of(plan.session.clone, plan.naming.environment)
    entry = Entry(format=2, snapshot=plan.made.name, phase=Phase.STAGING, parts=tuple(plan.parts))
    noted.write(entry)
    client, naming = plan.session.client, plan.naming
    try:
        with ExitStack() as held:
            helpers = [
                held.enter_context(helper(client, naming, one, writes=True, beside=keys.volumes(naming, one)))
                for one in plan.parts
            ]
            _require_version(plan, helpers[0])
            staging.bring(plan.folder, plan.made, helpers)
            fitted = _open(plan, helpers)
            session_key = _session_key(plan, helpers[0])
            for one in helpers:
                one.run("sync")
    except BaseException:
        # Killed before this comes to its end, the next command does it.
        swap.finish(client, plan.session.clone, naming)
        raise
    noted.write(entry.model_copy(update={"phase": Phase.SWITCHING, "session_key": session_key}))
    return fitted


def _require_version(plan: _Plan, postgres: Helper) -> None:
    runs = postgres.run("postgres", "--version").split()[2].split(".")[0]
    if runs != plan.made.postgres:
        raise UserError(
            f"The snapshot {plan.made.name} is of PostgreSQL {plan.made.postgres}, and {plan.naming.environment} runs"
            f" {runs}; nothing was changed.",
            cause="A database's files are read by the major version that wrote them only.",
            remedy=f"Set dashtam:images in Pulumi.{plan.naming.environment}.yaml to an image of PostgreSQL"
            f" {plan.made.postgres}, or move the data with `./dashtam backup` and `./dashtam restore`.",
        )


def _open(plan: _Plan, helpers: Sequence[Helper]) -> Rekeyed:
    postgres, *others = helpers
    fit = staged_credentials.Fit(
        database=plan.settings.postgres.database,
        user=plan.settings.postgres.user,
        password=keys.password(postgres, plan.naming),
        held=keys.master_keys(postgres, plan.naming),
        former=_former(plan),
    )
    for one in others:
        staged_credentials.redis(one)
    return staged_credentials.postgres(postgres, fit)


def _session_key(plan: _Plan, postgres: Helper) -> Sealed | None:
    """Return the session key of the data, where this clone can open it and the environment has another one."""
    if keys.SESSION_KEY not in plan.made.pieces:
        return None
    sealed = Sealed.model_validate_json((plan.folder / keys.SESSION_KEY).read_bytes())
    former = keys.unsealed_session_key(plan.session.clone.passphrase_file, sealed)
    return sealed if former and former != keys.session_key(postgres, plan.naming) else None


def _former(plan: _Plan) -> MasterKeys | None:
    if keys.TOKEN_KEYS not in plan.made.pieces:
        return None
    sealed = Sealed.model_validate_json((plan.folder / keys.TOKEN_KEYS).read_bytes())
    return keys.former(plan.session.clone.passphrase_file, sealed)


def _replace(plan: _Plan) -> list[str]:
    """Put the new data in the place of the old; from here on there is no way back."""
    running = swap.stop(plan.session.client, plan.naming, list(swap.USERS_OF_DATA))
    swap.finish(plan.session.client, plan.session.clone, plan.naming)
    return running


def _resume(plan: _Plan, running: Sequence[str]) -> None:
    """Leave the environment healthy, of which some services run again."""
    client, stack = plan.session.client, plan.naming.environment
    incomplete = len(running) < len(swap.USERS_OF_DATA) or session_keys.is_wanted(plan.session.clone, stack)
    if incomplete or health.settled(EngineView(client), stack, plan.naming.owner):
        up(plan.session, stack)
