"""Pulumi in one clone: its commands, its updates and its outputs."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cli.core import remedies
from cli.core.errors import UserError
from cli.core.paths import ROOT
from cli.pulumi import backend, language_host, stack_state
from cli.pulumi.language_host import LanguageHost
from cli.pulumi.update import Event, Update

if TYPE_CHECKING:
    from infra.outputs import PublicOutputs, StackOutputs


@dataclass(frozen=True)
class Pulumi:
    """Pulumi in one clone, run in a complete environment."""

    environ: Mapping[str, str]
    root: Path = ROOT

    @property
    def process_environ(self) -> dict[str, str]:
        """The environment of Pulumi's processes: they end before it pays to collect as often as Go does by itself."""
        return {"GOGC": "400", **self.environ}

    def run(self, *arguments: str, stdin: str | None = None) -> str:
        """Run a command to its end and return its output; raise its words as a UserError if it fails."""
        command = ["pulumi", *arguments, "--non-interactive", "--color", "never"]
        done = subprocess.run(
            command, cwd=self.root, env=self.process_environ, input=stdin, capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            stack = next((value for flag, value in pairwise(arguments) if flag == "--stack"), "")
            raise failure(" ".join(["pulumi", *arguments[:2]]), done.stderr or done.stdout, stack)
        return done.stdout

    def stacks(self) -> set[str]:
        """Return the names of this project's stacks."""
        return {stack["name"].rsplit("/", 1)[-1] for stack in json.loads(self.run("stack", "ls", "--json"))}

    def may_lack(self, stacks: Collection[str]) -> bool:
        """Return whether one of some stacks may not exist; Pulumi itself is slower to ask."""
        folder = backend.folder(self.environ, self.root)
        return folder is None or not all(folder.state(stack).exists() for stack in stacks)

    def create_missing(self, stacks: Collection[str]) -> None:
        """Create those of some stacks that don't exist."""
        existing = self.stacks() if self.may_lack(stacks) else set(stacks)
        for stack in stacks:
            if stack not in existing:
                self.run("stack", "init", stack, "--no-select")

    def language_host(self) -> AbstractContextManager[LanguageHost]:
        """Start what `update` runs the program with."""
        return language_host.started(self.environ, self.root)

    def update(
        self,
        command: str,
        stack: str,
        *flags: str,
        on_event: Callable[[Event], None],
        must_end: Callable[[], bool],
        host: LanguageHost | None = None,
    ) -> bool:
        """Run `up` or `destroy` without questions; return whether it succeeded.

        Args:
            host: What runs the program for `up`; None: what Pulumi starts itself.

        Raises:
            UserError: Pulumi could not start the update; its words are the cause.
        """
        options = ["--stack", stack, "--yes", "--skip-preview", "--json", "--non-interactive", *flags]
        update = Update([host.lifeline] if host else [])
        options += host.flags() if host else []
        with ExitStack() as running:
            if command == "destroy":
                options += ["--run-program=false", running.enter_context(language_host.without_program())]
            succeeded = update.run(["pulumi", command, *options], self.root, self.process_environ, on_event, must_end)
        if not (succeeded or update.started or update.interrupted):
            raise failure(f"pulumi {command} --stack {stack}", update.stderr, stack)
        return succeeded

    def deployment(self, stack: str) -> dict[str, Any]:
        """Return what `pulumi stack export` shows of a stack; a state file is read without starting Pulumi."""
        found = backend.deployment(self.environ, self.root, stack)
        if found is not None:
            return found
        return json.loads(self.run("stack", "export", "--stack", stack)).get("deployment") or {}

    def public_outputs(self, stack: str) -> PublicOutputs:
        """Return the outputs of a stack that is up, without the secrets."""
        from infra.outputs import PublicOutputs  # noqa: PLC0415 - slow to import, and most commands don't need it

        values = stack_state.of(self.deployment(stack)).outputs
        public = {name: value for name, value in values.items() if name in PublicOutputs.model_fields}
        with _expected(stack):
            return PublicOutputs.model_validate(public)

    def outputs(self, stack: str) -> StackOutputs | None:
        """Return a stack's outputs, secrets included; None where the stack is not up."""
        from infra.outputs import StackOutputs  # noqa: PLC0415

        values = json.loads(self.run("stack", "output", "--stack", stack, "--json", "--show-secrets"))
        with _expected(stack):
            return StackOutputs.model_validate(values) if values else None


@contextmanager
def _expected(stack: str) -> Iterator[None]:
    from pydantic import ValidationError  # noqa: PLC0415

    try:
        yield
    except ValidationError:
        raise UserError(
            f"The outputs of {stack} are not what this version expects.",
            cause="The environment was brought up by another version of the program, or not to its end.",
            remedy=f"./dashtam up {stack}",
        ) from None


def failure(command: str, said: str, stack: str = "") -> UserError:
    """Return the error for a command that failed, for a stack if any, with a remedy where the cause is known."""
    lines = [line for line in said.splitlines() if line.strip()]
    return UserError(
        f"`{command}` failed.", cause="\n".join(lines[-20:]), remedy=remedies.known(said, environment=stack)
    )
