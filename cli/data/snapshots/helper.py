"""A container that lives as long as the command that made it, with one service's data.

It has no network and no privileges, and runs as the user that owns the data; where entries of others must be moved, as
root, to which no file is closed. Its one process reads a stream that only the command holds open: when the command
ends, even by a kill, the container ends with everything that runs in it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import docker

from cli.core.errors import UserError
from cli.engine import streams, temporary_container
from cli.environments.handle import EnvironmentHandle

PREFIX = "snapshot-"
"""Of the component label of such a container."""

VOLUME = "/volume"
"""Where the data is mounted."""

MEMORY = 512
"""The least mebibytes of memory."""

PROCESSES = 256
ROOT = "0:0"
FILE_ACCESS = ("DAC_OVERRIDE", "FOWNER")
"""Capabilities with which root moves and deletes files of others, in sticky folders too (capabilities(7))."""


@dataclass(frozen=True)
class Part:
    """One service's data: its volume; and the service's image, user as `uid:gid`, and memory in MiB."""

    service: str
    volume: str
    image: str
    user: str
    memory: int = MEMORY


@dataclass(frozen=True)
class Helper:
    """A running container with a part of an environment's data."""

    environment: str
    client: docker.DockerClient
    id: str
    part: Part = field(repr=False)

    def script(self, text: str) -> str:
        """Run a script for `sh -eu`, of the utilities that Debian and Alpine share, in the data's folder."""
        return streams.run(self.client, self.id, ["sh", "-euc", f"cd {VOLUME}; {text}"])


@contextmanager
def helper(
    environment: EnvironmentHandle, part: Part, *, writes: bool = False, beside: Sequence[str] = ()
) -> Iterator[Helper]:
    """Run a container with a part's data; volumes beside it are mounted to be read, each at a folder of its name."""
    # Mounting a volume that doesn't exist would make it, without the labels of this project.
    if part.volume not in environment.own_engine.volumes(environment.clone.id):
        raise UserError(
            f"The volume {part.volume} of {environment.name} is missing.",
            cause="It was removed by another program, or an update was interrupted before it was made.",
            remedy=f"`./dashtam up {environment.name}` makes it.",
        )
    mounts = [docker.types.Mount(VOLUME, part.volume, "volume", read_only=not writes, no_copy=True)]
    mounts += [docker.types.Mount(f"/{one}", one, "volume", read_only=True, no_copy=True) for one in beside]
    with temporary_container.running(
        environment.client,
        environment.naming,
        f"{PREFIX}{part.service}",
        part.image,
        entrypoint=["cat"],
        user=part.user,
        mounts=mounts,
        network_mode="none",
        tmpfs={"/tmp": "rw,noexec,nosuid,nodev,size=64m,mode=1777"},  # noqa: S108 - its own, in memory
        cap_add=list(FILE_ACCESS) if part.user == ROOT else [],
        mem_limit=f"{max(part.memory, MEMORY)}m",
        pids_limit=PROCESSES,
        auto_remove=True,
        log_config=docker.types.LogConfig(type="none"),
    ) as (container, _):
        yield Helper(environment.name, environment.client, container.id or "", part)
