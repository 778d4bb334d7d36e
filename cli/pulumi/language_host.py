"""The program's own language host, started before Pulumi, so that the program is imported meanwhile."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

GRACE = 5.0
"""Seconds in which a host ends when nobody needs it any more."""


@dataclass(frozen=True)
class LanguageHost:
    """A host that has been started. It ends when nobody holds `lifeline` open any more."""

    lifeline: int
    answers: IO[str]

    def flags(self) -> list[str]:
        """Return how Pulumi is told of it: nothing if it has failed to start, as Pulumi's own host reports why."""
        port = self.answers.readline().strip()
        return [f"--client=127.0.0.1:{port}"] if port else []


@contextmanager
def started(environ: Mapping[str, str], root: Path) -> Iterator[LanguageHost]:
    """Start a host for one update."""
    process = subprocess.Popen(
        [sys.executable, "-m", "infra.language_host"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,  # it outlives a command that is killed, as the update does
        cwd=root,
        env=dict(environ),
    )
    if process.stdin is None or process.stdout is None:
        raise AssertionError("pipes were asked for")
    try:
        yield LanguageHost(process.stdin.fileno(), process.stdout)
    finally:
        process.stdin.close()
        process.stdout.close()
        try:
            process.wait(GRACE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
