"""One sequence, step by step, with what must hold after each."""

from __future__ import annotations

import copy
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field

from bench.campaign import checks
from bench.campaign.checks import Said, Seen
from bench.campaign.ledger import PARTS, Ledger
from bench.campaign.sequences import INVALID, REFUSABLE
from bench.campaign.strangers import Strangers
from bench.campaign.world import World
from infra.naming import SERVICES

LASTING = ("postgres.", "redis.", "tokens.", "images.")
"""Keys whose refusable values leave their mark on what is made under them, until it is destroyed."""

VOLATILE = ("postgres.storage", "redis.storage", "redis.persistence", "postgres.database", "postgres.user")
"""Keys that, edited, let nothing be written: it would be kept elsewhere, or not at all, as was asked for."""

UNCHANGED = "nothing was changed"
"""What is printed by an update that was refused before it made anything."""


@dataclass
class Trial:
    """A sequence that is under way.

    Args:
        world: What it works on.
        strangers: What is there beside it.
        ledger: What must be kept.
        edits: The kind and the value of each key of the config that was edited.
        doubts: Why the next update may be refused.
        number: How much was written.
        chosen: The snapshot or the backup that a command is given.
        file: The backup that a command writes.
        taken: The snapshots that a command has taken.
        is_up: Whether the step that was done has brought it up.
        is_damaged: Whether something was done behind Pulumi's back since the last update.
        lacks_keys: Whether the installed keys of tokens were removed, and no update has ended since.
        may_be_paused: Whether a snapshot was killed together with what resumes services, and no update has ended since.
    """

    world: World
    strangers: Strangers
    ledger: Ledger = field(default_factory=Ledger)
    edits: dict[str, tuple[str, str]] = field(default_factory=dict)
    doubts: set[str] = field(default_factory=set)
    number: int = 0
    chosen: str = ""
    file: str = ""
    taken: list[str] = field(default_factory=list)
    is_up: bool = False
    is_damaged: bool = False
    lacks_keys: bool = False
    may_be_paused: bool = False

    def begin(self) -> list[str]:
        """Bring the environment up, and write into it."""
        self.world.reset()
        return self.checked(self.up()) or self.checked(self.write())

    def end(self) -> list[str]:
        """Take every edit back; what is left then must come up, and stay as it is."""
        self.edits.clear()
        self.world.configure({})
        self.world.discard_code()
        return self.checked(self.up(twice=True))

    def checked(self, wrong: list[str]) -> list[str]:
        """Return what a step found wrong, and what is wrong after it."""
        self.ledger.note_snapshots(self.world.snapshots())
        seen, lost = self._looked()
        found = [*wrong, *lost, *checks.undisturbed(self.before, seen)]
        if self.is_up or not self.may_be_paused:
            found += checks.resumed(seen)
        if self.is_up:
            self.is_up = self.may_be_paused = False
            self.ledger.settled()
            found += [f"the {part} can't be read after up" for part in PARTS if part not in seen.readable]
        return found

    def _looked(self) -> tuple[Seen, list[str]]:
        # Data that is lost stays lost: what a second look finds was only slow to answer, which is shown.
        ledger = copy.deepcopy(self.ledger)
        seen = self.world.seen(self.strangers.look())
        if not (lost := checks.kept(self.ledger, seen)):
            return seen, []
        print(f"    looking again: {'; '.join(lost)}", flush=True)
        self.ledger = ledger
        seen = self.world.seen(self.strangers.look())
        return seen, checks.kept(self.ledger, seen)

    def __post_init__(self) -> None:
        """Remember how the strangers are."""
        self.before = self.strangers.look()

    @property
    def invalid(self) -> list[str]:
        """Why an update must be refused."""
        return [f"{key}={text}" for key, (kind, text) in self.edits.items() if kind == INVALID]

    @property
    def reasons(self) -> list[str]:
        """Why an update may be refused."""
        return [*(f"{key}={text}" for key, (kind, text) in self.edits.items() if kind == REFUSABLE), *self.doubts]

    @property
    def is_volatile(self) -> bool:
        """Whether what is written now may be kept elsewhere than before, or not at all."""
        return any(key in VOLATILE and kind == REFUSABLE for key, (kind, _) in self.edits.items()) or bool(
            self.doubts & {*VOLATILE}
        )

    @property
    def ailments(self) -> list[str]:
        """Why a command that uses the services may fail."""
        return [] if self.world.is_up(self.services) and not self.is_damaged else ["it is not up, or was damaged"]

    @property
    def services(self) -> Sequence[str]:
        """The services that the config asks for."""
        return SERVICES[:-1] if "sandbox.enabled" in self.edits else SERVICES

    def dashtam(self, *arguments: str, may_fail: Sequence[str] = (), **env: str) -> tuple[Said, list[str]]:
        """Run a command that is refused only where the config gives a reason, or the caller."""
        try:
            said = self.world.run(*arguments, **env)
        except subprocess.TimeoutExpired as expired:
            return Said(" ".join(arguments), 1, ""), [f"{' '.join(arguments)} hangs: {expired}"]
        return said, checks.outcome(said, may_fail=[*self.invalid, *self.reasons, *may_fail])

    def note_update(self, said: Said | None = None) -> None:
        """Note what an update may have made that later ones have to respect; it may have said that it made nothing."""
        if self.invalid or (said and said.status != 0 and UNCHANGED in said.text):
            return
        marks = {key for key, (kind, _) in self.edits.items() if key.startswith(LASTING) and kind == REFUSABLE}
        self.doubts |= marks | ({"tokens.keys"} & self.edits.keys())

    def up(self, *, twice: bool = False) -> list[str]:
        """Bring it up: healthy, without orphans, or refused with one message."""
        try:
            said = self.world.run("up", self.world.stack)
        except subprocess.TimeoutExpired as expired:
            return [f"up hangs: {expired}"]
        wrong = checks.outcome(said, must_fail=self.invalid, may_fail=self.reasons)
        self.note_update(said)
        if said.status != 0 or wrong:
            return wrong
        if not self.world.is_up(self.services):
            wrong.append("up succeeded, and not every service is healthy")
        wrong += checks.orphans(self.world.labelled(), self.world.recorded())
        self.is_up, self.is_damaged, self.lacks_keys = True, False, False
        return wrong + (self._again() if twice and not wrong else [])

    def _again(self) -> list[str]:
        before = self.world.containers()
        _, wrong = self.dashtam("up", self.world.stack)
        return wrong or (["a second up changed containers"] if self.world.containers() != before else [])

    def write(self) -> list[str]:
        """Write into every part that takes it."""
        if not self.is_volatile:
            self.number += 1
            for part, value in self.world.write(f"w{self.number}"):
                self.ledger.write(part, value)
        return []

    def forget(self) -> None:
        """Note that an environment was removed, with all that it was made under."""
        self.ledger.destroyed()
        self.doubts.clear()
