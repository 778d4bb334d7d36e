"""Destroys an environment under one lock: services stop before the snapshot, so it holds every write."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import nullcontext
from dataclasses import dataclass

from cli.core.errors import UserError
from cli.data import restore_journal
from cli.environments import environment_lock, named_environments, ownership, placements, states, targets
from cli.operations import client_settings, drift, reconcile, recover
from cli.operations.session import Session
from cli.operations.snapshot_before_loss import before_destroying, impossible
from cli.operations.take_snapshot import Taken
from cli.operations.update.run import Updates
from cli.pulumi import locks
from cli.pulumi.stack_state import StackState
from infra import guards


@dataclass(frozen=True)
class Removal:
    """The removal of one environment."""

    session: Session
    stack: str
    engine_lost: bool = False

    @property
    def source(self) -> str:
        """The environment that it follows, which is another one if it was made with `--name`."""
        return placements.of(self.session.clone, self.stack).source

    def data(self) -> set[str]:
        """Return the names of the volumes in which it has data."""
        here = self.session
        state = self._state()
        ownership.require_own(here.clone, self.stack, state)
        if not self.engine_lost:
            ownership.require_engine(here.client, here.clone, self.stack, state)
        listed = here.engine.volume_documents()
        ownership.require_own_volumes(listed, here.clone, self.stack, state)
        return ownership.data(listed, self.stack, here.clone.id, state)

    def is_elsewhere(self) -> bool:
        """Return whether it is on another engine."""
        here = self.session
        return guards.is_elsewhere(ownership.made(self._state()), ownership.look(here.client, here.clone, self.stack))

    def require_possible(self, *, snapshot: bool) -> None:
        """Refuse to take a snapshot of what has none."""
        if snapshot and targets.is_swarm(self.stack, self.session.clone.root) and self.data():
            raise impossible(self.stack, f"./dashtam destroy {self.stack} --no-snapshot")

    def _state(self) -> StackState:
        return states.read(self.session.clone, self.stack, self.session.environ)

    def run(self, agreed: Collection[str] | None, *, snapshot: bool) -> Taken | None:
        """Remove everything of it, with the data volumes that are agreed on, None for all; return the snapshot, if any.

        If that fails before anything is removed, stopped services are started again.
        """
        here = self.session
        with environment_lock.held(here.clone, self.stack):
            data = self.data()
            _require_agreed(self.stack, data, agreed)
            self._prepare()
            environment = here.environment(self.stack)
            with before_destroying(environment, data) if snapshot and data else nullcontext() as taken:
                self._remove()
            return taken

    def _prepare(self) -> None:
        """Make sure, while the services run, that it can be removed."""
        here = self.session
        locks.release_dead(here.pulumi, self.stack)
        # What is in an unreadable state can't be removed.
        here.pulumi.run("stack", "output", "--stack", self.stack, "--json", "--show-secrets")
        # Not later: what is stopped for the snapshot is not to be taken for broken.
        recover.recover(here, self.stack)

    def _remove(self) -> None:
        here, owner = self.session, self.session.clone.id
        recover.remove_test_container(here, self.stack)
        # As a removal that was killed leaves them.
        state = self._state()
        reconcile.make_lost_volumes(here.engine, state, drift.look(here.engine, here.clone, self.stack))
        # Again: another program may have made one since.
        ownership.require_own_volumes(here.engine.volume_documents(), here.clone, self.stack, state)
        if state.protected:
            here.pulumi.run("state", "unprotect", "--all", "--stack", self.stack, "--yes")
        Updates(here, "destroy").run({self.stack: ["--refresh"]})
        for volume in ownership.volumes(here.engine.volume_documents(), self.stack, owner):
            here.engine.remove_volume(volume, owner)
        restore_journal.of(here.clone, self.stack).clear()
        client_settings.forget_app(here.clone, self.stack)
        named_environments.forget(here.pulumi, here.clone, self.stack)


def _require_agreed(stack: str, data: Collection[str], agreed: Collection[str] | None) -> None:
    if agreed is not None and (new := sorted({*data} - {*agreed})):
        raise UserError(
            f"{stack} has new data in {', '.join(new)} since it was asked for; nothing was changed.",
            cause="Another command has changed it meanwhile.",
            remedy=f"Look at it again: `./dashtam destroy {stack}`.",
        )
