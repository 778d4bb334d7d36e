"""A container that lives as long as the command that made it, and sees one service's data and nothing else.

It has no network, no privileges and no root: it runs as the user that owns the data. Its one process reads a stream
that only the command holds open; when the command ends, however it ends, the container ends with all that runs in it.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Sequence
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
"""Of the component of such a container."""

VOLUME = "/volume"
"""Where it finds the data."""

MEMORY = "512m"
PROCESSES = 256


@dataclass(frozen=True)
class Part:
    """One service's data.

    Args:
        service: The service.
        volume: The volume that keeps its data.
        image: What the service runs.
        user: `uid:gid` of the data's owner.
    """

    service: str
    volume: str
    image: str
    user: str


@dataclass(frozen=True)
class Helper:
    """A container with a part's data.

    Args:
        client: The engine.
        id: The container.
        part: Whose data it has.
    """

    client: docker.DockerClient
    id: str
    part: Part = field(repr=False)

    def run(self, *command: str, stdin: bytes = b"") -> str:
        """Run a command in it; see `cli.engine.streams.run`."""
        return streams.run(self.client, self.id, command, stdin)

    def script(self, text: str, *arguments: str) -> str:
        """Run a shell script in it, in the folder of the data.

        Args:
            text: A script for `sh -eu`, of the utilities that Debian and Alpine share.
            arguments: Its arguments.

        Returns:
            What it wrote to standard output.
        """
        return self.run("sh", "-euc", f"cd {VOLUME}; {text}", self.part.service, *arguments)

    def feed(self, command: Sequence[str], pieces: Iterable[bytes], size: int) -> None:
        """Run a command in it that reads a stream; see `cli.engine.streams.feed`."""
        streams.feed(self.client, self.id, command, pieces, size)

    def tree(self, path: str) -> Generator[bytes, None, None]:
        """Return a folder of it as a tar archive; see `cli.engine.streams.archive`."""
        return streams.archive(self.client, self.id, path)

    def file(self, path: str) -> bytes:
        """Return a small file of it, whoever may read it.

        Args:
            path: Where it is.

        Returns:
            Its content.

        Raises:
            docker.errors.NotFound: There is no such file.
        """
        return streams.read_file(self.client, self.id, path)


@contextmanager
def helper(
    client: docker.DockerClient, naming: Naming, part: Part, *, writes: bool = False, beside: Sequence[str] = ()
) -> Iterator[Helper]:
    """Run a container with a part's data.

    Args:
        client: The engine.
        naming: The environment's names.
        part: Whose data.
        writes: Whether it may change them.
        beside: Further volumes, to be read, each at a folder of its own name.

    Yields:
        The container, running.

    Raises:
        UserError: The engine refused.
    """
    component = f"{PREFIX}{part.service}"
    remove(client, naming, naming.container(component))
    mounts = [docker.types.Mount(VOLUME, part.volume, "volume", read_only=not writes, no_copy=True)]
    mounts += [docker.types.Mount(f"/{one}", one, "volume", read_only=True, no_copy=True) for one in beside]
    container = _create(client, part.image, _settings(naming, component, part.user, mounts))
    try:
        with streams.cut_off(client.api.attach_socket(container.id, params={"stdin": 1, "stream": 1})):
            container.start()
            yield Helper(client, container.id, part)
    finally:
        remove(client, naming, container.id)


def remove(client: docker.DockerClient, naming: Naming, container: str) -> None:
    """Remove a container and wait until it is gone; one that this clone didn't make is let alone.

    Args:
        client: The engine.
        naming: The environment's names.
        container: Its id or name.
    """
    with suppress(NotFound):
        found = client.containers.get(container)
        if found.labels.get(OWNER_LABEL) != naming.owner:
            return
        # It may be on its way out by itself.
        with suppress(APIError):
            EngineView(client).remove_container(found.id or "")


def _settings(naming: Naming, component: str, user: str, mounts: list[docker.types.Mount]) -> dict[str, Any]:
    return {
        "name": naming.container(component),
        "labels": naming.labels(component),
        "entrypoint": ["cat"],
        "user": user,
        "mounts": mounts,
        "network_mode": "none",
        "read_only": True,
        "tmpfs": {"/tmp": "rw,noexec,nosuid,nodev,size=64m,mode=1777"},  # noqa: S108 - its own, in memory
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges:true"],
        "mem_limit": MEMORY,
        "memswap_limit": MEMORY,
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
