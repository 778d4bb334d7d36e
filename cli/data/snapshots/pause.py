"""Services that stand still for a moment: paused by the engine, so that no connection is lost, and never left so."""

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


@dataclass
class Moment:
    """How long the services stood still.

    Attributes:
        seconds: Once it is over.
    """

    seconds: float = 0.0


@contextmanager
def frozen(client: docker.DockerClient, containers: Sequence[str]) -> Iterator[Moment]:
    """Pause services together.

    A process beside this one thaws them if this one is killed.

    Args:
        client: The engine.
        containers: Those to pause, by id.

    Yields:
        While they stand still.

    Raises:
        UserError: One can't be paused, such as one that has ended just now.
    """
    moment = Moment()
    if not containers:
        yield moment
        return
    for container in containers:
        _check_soon(client, container)
    with _guard(containers):
        started = time.monotonic()
        try:
            for container in containers:
                _pause(client, container)
            yield moment
        finally:
            thaw(client, containers)
            moment.seconds = time.monotonic() - started


def _pause(client: docker.DockerClient, container: str) -> None:
    try:
        client.api.pause(container)
    except APIError as error:
        # One that has ended may be started again at any moment, while its data is copied.
        raise UserError(
            "A service can't be paused for the snapshot.",
            cause=str(error.explanation),
            remedy="Run the same command again. If it fails again, see `docker ps --all` for how the service is.",
        ) from None


def thaw(client: docker.DockerClient, containers: Sequence[str]) -> None:
    """Let services go on; those that aren't paused are let alone.

    Args:
        client: The engine.
        containers: By id.
    """
    for container in containers:
        with suppress(APIError):
            client.api.unpause(container)


def _check_soon(client: docker.DockerClient, container: str) -> None:
    """Let the next health check not wait: until it ends, the engine calls unhealthy what was paused."""
    with suppress(APIError):
        EngineView(client).execute(container, ["rm", "-f", MARK])


@contextmanager
def _guard(containers: Sequence[str]) -> Iterator[None]:
    # In a session of its own it is not interrupted with this process, only told of its end by the end of its input.
    command = [sys.executable, "-m", "cli.data.snapshots.pause", *containers]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, cwd=ROOT, start_new_session=True, **pipes) as guard:
        next(iter(guard.stdout or ()), b"")
        # Leaving closes its input, and waits for it.
        yield


def watch(containers: Sequence[str]) -> None:
    """Wait until the process that started this one ends, and thaw what it froze.

    Args:
        containers: By id.
    """
    client = connect()
    print(flush=True)  # noqa: T201 - the sign that it is ready
    sys.stdin.read()
    thaw(client, containers)


if __name__ == "__main__":
    watch(sys.argv[1:])
