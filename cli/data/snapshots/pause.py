"""Pauses services for a moment, so that no connection is lost; a second process resumes them if this one is killed."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import docker
from docker.errors import APIError

from cli.core.errors import UserError
from cli.core.paths import ROOT
from cli.engine.connect import connect
from cli.engine.inventory import EngineView
from infra.services.health import MARK

NOT_FROZEN = "unable to freeze"
ATTEMPTS = 10
"""On a busy machine, processes that start just then keep the kernel from freezing a container (moby/moby#48205). It
stays as it was, and runc leaves it to its caller to try again (opencontainers/runc#4388)."""


@dataclass
class Pause:
    """How long the services were paused, once it is over."""

    seconds: float = 0.0


@contextmanager
def paused(client: docker.DockerClient, containers: Sequence[str]) -> Iterator[Pause]:
    """Pause containers, by id, together; a UserError if one can't be paused, such as one that has just ended."""
    pause = Pause()
    if not containers:
        yield pause
        return
    with _guard(containers):
        # Last: a check that ends meanwhile would have the next one watch for a minute before it says anything.
        for container in containers:
            _check_soon(client, container)
        started = time.monotonic()
        try:
            for container in containers:
                _pause(client, container)
            yield pause
        finally:
            resume(client, containers)
            pause.seconds = time.monotonic() - started


def _pause(client: docker.DockerClient, container: str) -> None:
    for left in reversed(range(ATTEMPTS)):
        try:
            client.api.pause(container)
        except APIError as error:
            if left and NOT_FROZEN in str(error.explanation):
                continue
            # A container that has ended may be started again at any moment, while its data is copied.
            raise UserError(
                "A service can't be paused for the snapshot.",
                cause=str(error.explanation),
                remedy="Run the same command again. If it fails again, see `docker ps --all` for how the service is.",
            ) from None
        else:
            return


def resume(client: docker.DockerClient, containers: Sequence[str]) -> None:
    """Resume containers; those that aren't paused are left alone."""
    for container in containers:
        with suppress(APIError):
            client.api.unpause(container)


def _check_soon(client: docker.DockerClient, container: str) -> None:
    """Make the next health check run at once: until it ends, the engine calls a paused container unhealthy."""
    with suppress(APIError):
        EngineView(client).execute(container, ["rm", "-f", MARK])


@contextmanager
def _guard(containers: Sequence[str]) -> Iterator[None]:
    # In its own session it isn't interrupted with this process; the end of its input is this process's end.
    command = [sys.executable, "-m", "cli.data.snapshots.pause", *containers]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, cwd=ROOT, start_new_session=True, **pipes) as guard:
        next(iter(guard.stdout or ()), b"")
        # Leaving closes its input, and waits for it.
        yield


def resume_when_parent_ends(containers: Sequence[str]) -> None:
    """Wait until the process that started this one ends, then resume the containers that it paused."""
    client = connect()
    print(flush=True)  # noqa: T201 - the sign that it is ready
    sys.stdin.read()
    resume(client, containers)


if __name__ == "__main__":
    resume_when_parent_ends(sys.argv[1:])
