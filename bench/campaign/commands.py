"""Commands that may be run to their end or killed in the middle, and what each may have done by then."""

from __future__ import annotations

import secrets
import signal
import subprocess
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass

import psutil

from bench.campaign import checks
from bench.campaign.checks import Said
from bench.campaign.ledger import ACCOUNTS
from bench.campaign.trial import Trial
from bench.campaign.world import SAMPLE_ACCOUNTS
from tests.system import damage
from tests.system.running import wait_until

TIMEOUT = 240.0
"""Seconds in which a command that was asked to end has ended, and what a killed one had started too."""

Effect = Callable[[Trial], None]


def _nothing(_: Trial) -> None:
    pass


@dataclass(frozen=True)
class Command:
    """A command.

    Args:
        words: It, with `{stack}`, `{snapshot}`, `{backup}` and `{file}`; of plain Pulumi if it begins with `pulumi`.
        seconds: About how long it takes.
        done: What it has done when it ends well.
        maybe: What it may have done where it was killed.
        needs: What it uses: `up`, `data`, `snapshot` or `backup`.
    """

    words: str
    seconds: float
    done: Effect = _nothing
    maybe: Effect = _nothing
    needs: str = ""


def _maybe_destroyed(trial: Trial) -> None:
    if trial.taken:
        trial.ledger.may_be_destroyed()


def _may_be_seeded(trial: Trial) -> None:
    trial.ledger.may_write(ACCOUNTS, *SAMPLE_ACCOUNTS)


COMMANDS: Mapping[str, Command] = {
    "up": Command("up {stack}", 12, Trial.note_update, Trial.note_update),
    "down": Command("down {stack}", 8),
    "destroy": Command("destroy {stack} --yes", 14, Trial.forget, _maybe_destroyed),
    "seed": Command(
        "seed {stack}", 3, lambda trial: trial.ledger.write(ACCOUNTS, *SAMPLE_ACCOUNTS), _may_be_seeded, "up"
    ),
    "rotate": Command("keys rotate {stack}", 3, needs="up"),
    "snapshot": Command("snapshot create {stack}", 5, needs="data"),
    "snapshot-restore": Command(
        "snapshot restore {stack} {snapshot} --yes",
        10,
        lambda trial: trial.ledger.replaced(trial.ledger.snapshots[trial.chosen]),
        lambda trial: trial.ledger.may_be_replaced(trial.ledger.snapshots[trial.chosen]),
        "snapshot",
    ),
    "backup": Command("backup {stack} {file}", 3, lambda trial: trial.ledger.note_backup(trial.file), needs="up"),
    "restore": Command(
        "restore {stack} {backup} --yes",
        6,
        lambda trial: trial.ledger.replaced(trial.ledger.backups[trial.chosen]),
        lambda trial: trial.ledger.may_be_replaced(trial.ledger.backups[trial.chosen]),
        "backup",
    ),
    "pulumi-up": Command("pulumi up --yes --skip-preview --stack {stack}", 8, Trial.note_update, Trial.note_update),
}


SNAPSHOT_TAKERS = frozenset({"snapshot", "destroy", "snapshot-restore"})
"""Those that take a snapshot of an environment that need not run."""

PAUSING = frozenset({"snapshot", "restore", "snapshot-restore"})
"""Those that take a snapshot of services that run; `destroy` stops them first."""


def prepared(trial: Trial, command: Command, which: str) -> list[str] | None:
    """Return a command's words; None where there is nothing that it could use."""
    kept = {"snapshot": trial.ledger.snapshots, "backup": trial.ledger.backups}.get(command.needs)
    if kept is not None:
        if not kept or trial.is_volatile:
            return None
        trial.chosen = list(kept)[-1 if which == "last" else 0]
    if command.needs == "up" and trial.is_volatile:
        return None
    trial.file = str(trial.world.folder / f"backup-{secrets.token_hex(4)}")
    return [
        word.format(stack=trial.world.stack, snapshot=trial.chosen, backup=trial.chosen, file=trial.file)
        for word in command.words.split()
    ]


def run(trial: Trial, name: str, which: str = "") -> list[str]:
    """Run a command to its end."""
    command = COMMANDS[name]
    words = prepared(trial, command, which)
    if words is None:
        return []
    had_data = bool(trial.ledger.must_keep)
    said, wrong = trial.dashtam(*words, may_fail=_reasons(trial, name))
    taken = trial.ledger.note_snapshots(trial.world.snapshots())
    if said.status == 0:
        command.done(trial)
        if name == "destroy" and had_data and not taken:
            wrong.append("destroy took no snapshot of the data")
    return wrong


def _reasons(trial: Trial, name: str) -> list[str]:
    command = COMMANDS[name]
    if command.needs in {"up", "backup"}:
        return trial.ailments
    if name in SNAPSHOT_TAKERS and trial.lacks_keys:
        return ["a snapshot would lack the keys of its tokens"]
    if command.needs == "data" and not trial.world.volumes():
        return ["it has no data"]
    return []


def kill(trial: Trial, name: str, fraction: str, how: str) -> list[str]:
    """Start a command, and kill it or ask it to end in the middle."""
    command = COMMANDS[name]
    words = prepared(trial, command, "last")
    if words is None:
        return []
    said = _broken_off(trial, words, STARTED + float(fraction) * command.seconds, how)
    trial.may_be_paused |= how == "KILL-ALL" and name in PAUSING
    trial.taken = trial.ledger.note_snapshots(trial.world.snapshots())
    (command.done if said.status == 0 else command.maybe)(trial)
    return checks.crashes(said) + ([said.text] if said.status == HANGS else [])


STARTED = 0.7
"""Seconds until a command does anything."""

HANGS = 1000


def _broken_off(trial: Trial, words: list[str], seconds: float, how: str) -> Said:
    file = trial.world.folder / "said"
    process = _start(trial, words) if words[0] == "pulumi" else trial.world.checkout.start(*words, said=file)
    with damage.at_latest_killed(process):
        if not damage.ends_within(process, seconds):
            _harm(process, how)
        if not damage.ends_within(process, TIMEOUT):
            return Said(" ".join(words), HANGS, f"{' '.join(words)} does not end after SIG{how}")
    # Where the command alone was killed, what it started may go on.
    wait_until(lambda: not _is_updating(trial.world.stack), "what was broken off has ended", TIMEOUT)
    return Said(" ".join(words), process.returncode, file.read_text(errors="replace") if file.exists() else "")


def _start(trial: Trial, words: list[str]) -> subprocess.Popen[bytes]:
    checkout = trial.world.checkout
    return subprocess.Popen(
        [*words, "--non-interactive"],
        cwd=checkout.root,
        env=checkout.tools,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def _harm(process: subprocess.Popen[bytes], how: str) -> None:
    if how == "KILL-ALL":
        damage.kill_all(process)
    elif how == "KILL":
        damage.kill(process)
    elif how == "INT":
        with suppress(AssertionError):
            damage.interrupt(process)
    else:
        process.send_signal(signal.Signals[f"SIG{how}"])


def _is_updating(stack: str) -> bool:
    lines = (one.info["cmdline"] or [] for one in psutil.process_iter(["cmdline"]))
    return any(line[:1] == ["pulumi"] and stack in line for line in lines)
