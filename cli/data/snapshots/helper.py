"""A container that lives as long as the command that made it, with one service's data.

It has no network and no privileges, and runs as the user that owns the data; where entries of others must be moved, as
root, to which no file is closed. Its one process reads a stream that only the command holds open: when the command
ends, even by a kill, the container ends with everything that runs in it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import docker
from docker.errors import APIError, ImageNotFound, NotFound

from cli.core.errors import UserError
from cli.engine import streams
from cli.engine.inventory import EngineView
from infra.naming import OWNER_LABEL, Naming

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
    """A running container with a part's data."""

    client: docker.DockerClient
    id: str
    part: Part = field(repr=False)

    def script(self, text: str) -> str:
        """Run a script for `sh -eu`, of the utilities that Debian and Alpine share, in the data's folder."""
        return streams.run(self.client, self.id, ["sh", "-euc", f"cd {VOLUME}; {text}"])


@contextmanager
def helper(
    client: docker.DockerClient, naming: Naming, part: Part, *, writes: bool = False, beside: Sequence[str] = ()
) -> Iterator[Helper]:
    """Run a container with a part's data; volumes beside it are mounted to be read, each at a folder of its name."""
    # Mounting a volume that doesn't exist would make it, without the labels of this project.
    if part.volume not in EngineView(client).volumes(naming.owner):
        raise UserError(
            f"The volume {part.volume} of {naming.environment} is missing.",
            cause="It was removed by another program, or an update was interrupted before it was made.",
            remedy=f"`./dashtam up {naming.environment}` makes it.",
        )
    component = f"{PREFIX}{part.service}"
    remove(client, naming, naming.container(component))
    mounts = [docker.types.Mount(VOLUME, part.volume, "volume", read_only=not writes, no_copy=True)]
    mounts += [docker.types.Mount(f"/{one}", one, "volume", read_only=True, no_copy=True) for one in beside]
    container = _create(client, part.image, _settings(naming, component, part, mounts))
    try:
        with streams.cut_off(client.api.attach_socket(container.id, params={"stdin": 1, "stream": 1})):
            container.start()
            yield Helper(client, container.id, part)
    finally:
        remove(client, naming, container.id)


def remove(client: docker.DockerClient, naming: Naming, container: str) -> None:
    """Remove a container, by id or name, and wait until it is gone; another clone's is left alone."""
    with suppress(NotFound):
        found = client.containers.get(container)
        if found.labels.get(OWNER_LABEL) != naming.owner:
            return
        # It may be being removed already, since its process has ended.
        with suppress(APIError):
            EngineView(client).remove_container(found.id or "")


def _settings(naming: Naming, component: str, part: Part, mounts: list[docker.types.Mount]) -> dict[str, Any]:
    memory = f"{max(part.memory, MEMORY)}m"
    return {
        "name": naming.container(component),
        "labels": naming.labels(component),
        "entrypoint": ["cat"],
        "user": part.user,
        "mounts": mounts,
        "network_mode": "none",
        "read_only": True,
        "tmpfs": {"/tmp": "rw,noexec,nosuid,nodev,size=64m,mode=1777"},  # noqa: S108 - its own, in memory
        "cap_drop": ["ALL"],
        "cap_add": list(FILE_ACCESS) if part.user == ROOT else [],
        "security_opt": ["no-new-privileges:true"],
        "mem_limit": memory,
        "memswap_limit": memory,
        "pids_limit": PROCESSES,
        "init": True,
        "auto_remove": True,
        "stdin_open": True,
        "log_config": docker.types.LogConfig(type="none"),
    }


def _create(client: docker.DockerClient, image: str, settings: dict[str, Any]) -> Any:  # noqa: ANN401 - the SDK's
    try:
        return client.containers.create(image, [], **settings)
    except ImageNotFound:
        raise UserError(
            f"The image {image}, which the data is read with, is not here.",
            remedy="Bring the environment up once: `./dashtam up` gets it.",
        ) from None
    except APIError as error:
        raise UserError(
            f"The container {settings['name']} can't be made.",
            cause=str(error.explanation),
            remedy="`./dashtam doctor` checks the engine. Then run the same command again.",
        ) from None
