"""Runs pytest on this machine, as often as the chosen suites need it, with the test environment up where it is used."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import IO

from cli.core.errors import UserError
from cli.core.process import run_to_end
from cli.operations import hooks
from cli.operations.session import Session
from cli.operations.test import suites
from cli.operations.test.suites import Chosen, Run
from cli.operations.up import up
from cli.ui.console import err

ENVIRONMENT = "test"
STACK_VARIABLE = "DASHTAM_TEST_STACK"
"""The environment that tests use, where it isn't that one."""
NO_TESTS = 5
"""What pytest exits with where it selected no test."""


def run(here: Session, chosen: Chosen, *, browser: bool, reports: Path | None) -> int:
    """Run the chosen suites."""
    runs = [one if browser else one.without_browser() for one in suites.runs(chosen)]
    target = {STACK_VARIABLE: chosen.environment} if chosen.environment else {}
    statuses: list[int] = []
    with _environment(here, runs) as ensure_up:
        for one, coverage in zip(runs, _coverage(chosen, runs, reports), strict=True):
            if one.needs_environment:
                ensure_up()
            err.print(f"Running tests: {', '.join(one.paths)}.")
            command = [*suites.command(one, chosen.extra, str(reports or "")), *coverage]
            # Interrupted, pytest first removes what its tests brought up.
            statuses.append(run_to_end(command, cwd=here.clone.root, env={**here.environ, **target}))
            if statuses[-1] and suites.ends_at_first_failure(chosen.extra):
                break
    return next((status for status in statuses if status not in {0, NO_TESTS}), min(statuses))


def _coverage(chosen: Chosen, runs: Sequence[Run], reports: Path | None) -> list[list[str]]:
    """Return each run's arguments: coverage adds up, and the last run that is measured reports it."""
    is_measured = suites.measures_coverage(chosen, reports=reports is not None)
    measured = [one.name for one in runs if one.name != "system"] if is_measured else []
    xml = [f"--cov-report=xml:{reports}/coverage.xml"] if reports else []
    arguments = []
    for one in runs:
        append = ["--cov-append"] if one.name in measured[1:] else []
        report = ["--cov-report=term", *xml] if one.name in measured[-1:] else ["--cov-report=", "--cov-fail-under=0"]
        arguments.append(["--cov", *append, *report] if one.name in measured else [])
    return arguments


@contextmanager
def _environment(here: Session, runs: Sequence[Run]) -> Iterator[Callable[[], None]]:
    """Bring the environment up: beside the first run, if that doesn't use it, else by the function that this yields.

    It returns once the environment is healthy.
    """
    if runs[0].needs_environment or not any(run.needs_environment for run in runs):
        yield partial(bring_up, here, ENVIRONMENT)
        return
    with tempfile.TemporaryFile("w+") as output:
        command = [str(here.clone.root / "dashtam"), "up", ENVIRONMENT, "--no-install"]
        with subprocess.Popen(
            command, cwd=here.clone.root, env=here.environ, stdin=subprocess.DEVNULL, stdout=output, stderr=output
        ) as process:
            err.print(f"Bringing {ENVIRONMENT} up meanwhile.")
            try:
                yield partial(_wait, process, output)
            finally:
                if process.poll() is None:
                    process.terminate()  # SIGINT is ignored by what a shell started in the background
                    process.wait()  # which Popen itself does not after an interrupt


def bring_up(here: Session, stack: str) -> None:
    """Bring all of an environment up, as `./dashtam up` does."""
    up(here, stack, services=())
    hooks.run_healthy(here, stack)


def _wait(process: subprocess.Popen[bytes], output: IO[str]) -> None:
    if process.poll() is None:
        err.print(f"Waiting until {ENVIRONMENT} is healthy.")
    if process.wait() != 0:
        output.seek(0)
        raise UserError(
            f"{ENVIRONMENT} can't be brought up, so the tests that use it did not run.",
            cause=output.read().strip(),
            remedy=f"`./dashtam up {ENVIRONMENT}` shows more.",
        )
