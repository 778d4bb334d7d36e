"""Pulumi in this clone: its stacks, their updates and their outputs."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cli.core import remedies
from cli.core.errors import UserError, did_you_mean
from cli.core.paths import ROOT
from cli.pulumi import backend, events
from cli.pulumi.events import Supervisor

if TYPE_CHECKING:
    from infra.outputs import StackOutputs


@dataclass(frozen=True)
class Pulumi:
    """Pulumi in one clone.

    Args:
        environ: The complete environment to run it in.
        root: The project's root.
    """

    environ: Mapping[str, str]
    root: Path = ROOT

    def run(self, *arguments: str, stdin: str | None = None) -> str:
        """Run a command to its end.

        Args:
            arguments: What follows `pulumi`.
            stdin: What it reads.

        Returns:
            Its standard output.

        Raises:
            UserError: It failed, with what it said.
        """
        command = ["pulumi", *arguments, "--non-interactive", "--color", "never"]
        done = subprocess.run(
            command, cwd=self.root, env=dict(self.environ), input=stdin, capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            raise failure(" ".join(["pulumi", *arguments[:2]]), done.stderr or done.stdout)
        return done.stdout

    def stacks(self) -> set[str]:
        """Return the names of this project's stacks."""
        return {stack["name"].rsplit("/", 1)[-1] for stack in json.loads(self.run("stack", "ls", "--json"))}

    @property
    def may_lack_stacks(self) -> bool:
        """Whether there may be a `Pulumi.<stack>.yaml` without a stack; Pulumi itself is slower to ask."""
        folder = backend.folder(self.environ, self.root)
        return folder is None or not all(folder.state(stack).exists() for stack in configured_stacks(self.root))

    def create_missing_stacks(self) -> None:
        """Create a stack for every `Pulumi.<stack>.yaml` that has none yet."""
        existing = self.stacks() if self.may_lack_stacks else configured_stacks(self.root)
        for stack in configured_stacks(self.root):
            if stack not in existing:
                self.run("stack", "init", stack, "--no-select")

    def update(self, command: str, stack: str, *flags: str, supervisor: Supervisor) -> bool:
        """Run `up` or `destroy`, without questions.

        Args:
            command: `up` or `destroy`.
            stack: Which stack.
            flags: Further flags.
            supervisor: What follows it, and says when it is to end.

        Returns:
            Whether it succeeded.

        Raises:
            UserError: Pulumi could not start the update; its words are the cause.
            KeyboardInterrupt: The user interrupted it.
        """
        options = ["--stack", stack, "--yes", "--skip-preview", "--json", "--non-interactive", *flags]
        call = ["pulumi", command, *options]
        ended = events.run(call, root=self.root, environ=self.environ, supervisor=supervisor)
        if ended.interrupted:
            raise KeyboardInterrupt
        if not ended.succeeded and not ended.started:
            raise failure(f"pulumi {command} --stack {stack}", ended.said)
        return ended.succeeded

    def outputs(self, stack: str) -> StackOutputs | None:
        """Return a stack's outputs, secrets included.

        Args:
            stack: Which stack.

        Returns:
            The outputs, or None where the stack is not up.

        Raises:
            UserError: The state can't be read.
        """
        from pydantic import ValidationError  # noqa: PLC0415 - slow to import, and most commands don't need it

        from infra.outputs import StackOutputs  # noqa: PLC0415

        values = json.loads(self.run("stack", "output", "--stack", stack, "--json", "--show-secrets"))
        try:
            return StackOutputs.model_validate(values) if values else None
        except ValidationError:
            raise UserError(
                f"The outputs of {stack} are not what this version expects.",
                cause="The environment was brought up by another version of the program, or not to its end.",
                remedy=f"./dashtam up {stack}",
            ) from None


def configured_stacks(root: Path = ROOT) -> list[str]:
    """Return the environments that have a config file, or a link to another's.

    Args:
        root: The project's root.

    Returns:
        Stack names, sorted.
    """
    found = [path.name for path in root.glob("Pulumi.*.yaml") if path.exists()]  # not a link that leads nowhere
    return sorted(name.removeprefix("Pulumi.").removesuffix(".yaml") for name in found)


def config_file(stack: str, root: Path = ROOT) -> Path:
    """Return where the config of a stack is, as Pulumi looks for it."""
    return root / f"Pulumi.{stack}.yaml"


def require_configured(stack: str, root: Path = ROOT) -> None:
    """Make sure that an environment has a config file.

    Args:
        stack: The environment.
        root: The project's root.

    Raises:
        UserError: It has none; the message lists those there are.
    """
    known = configured_stacks(root)
    file = config_file(stack, root)
    if stack in known:
        return
    if file.is_symlink():
        raise UserError(
            f"{stack} has lost its config.",
            cause=f"It was made from {file.readlink()}, which does not exist any more.",
            remedy="Put that file back; git has it if it was committed.",
        )
    raise UserError(
        f"There is no environment {stack!r}.",
        cause=f"{file.name} does not exist; there are: {', '.join(known)}.",
        remedy=f"{did_you_mean(stack, known)}Choose one of these, or make another from the config of one:"
        " `./dashtam up dev --name NAME`.",
        exit_status=2,
    )


def failure(command: str, said: str) -> UserError:
    """Return the error for a command that failed.

    Args:
        command: The command, for the message.
        said: What it said.

    Returns:
        The error, with a remedy where the cause is known.
    """
    lines = [line for line in said.splitlines() if line.strip()]
    return UserError(f"`{command}` failed.", cause="\n".join(lines[-20:]), remedy=remedies.known(said))
