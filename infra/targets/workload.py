"""What a service runs, as plain data that every target takes. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from infra.catalogue import Base
from infra.endpoints import Endpoint

if TYPE_CHECKING:
    import pulumi

MOUNT = "/run/secrets"
"""Where a service finds its files."""

LOG_FILES = "3"


@dataclass(frozen=True)
class Memory:
    """A writable folder in memory, from which nothing can be run."""

    path: str
    megabytes: int
    mode: str
    owner: str = ""
    """`uid:gid`; root where it is empty."""

    @property
    def options(self) -> str:
        """Its mount options."""
        uid, _, gid = self.owner.partition(":")
        owner = f",uid={uid},gid={gid}" if self.owner else ""
        return f"rw,noexec,nosuid,nodev,size={self.megabytes}m{owner},mode={self.mode}"


TMP = Memory("/tmp", 64, "1777")  # noqa: S108 - the container's own


@dataclass(frozen=True)
class Data:
    """Where a service keeps its data: in a volume that lasts, or in memory that is lost with the container."""

    volume: str | None = None
    """The volume's name."""
    declared: pulumi.Input[str] | None = None
    """That name, once the volume is there."""
    memory: Memory | None = None


@dataclass(frozen=True)
class Workload:
    """A service."""

    name: str
    base: Base
    command: Sequence[str]
    readiness: str
    """A shell command that exits with 0 when the service is ready."""
    memory: str
    env: Mapping[str, str]
    """Environment variables; never a secret."""
    liveness: str = ""
    """A shell command that exits with 0 while the service answers at all; empty: as long as it is ready."""
    files: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    """Secrets and settings by file name, each for the service's user alone."""
    ports: Sequence[Endpoint] = ()
    """The ports that may be published; its own first."""
    proxy_port: int | None = None
    """Where a server that drains when it is told to stop expects an edge's PROXY protocol; None for any other."""
    data: Data = field(default_factory=Data)
    binds: Mapping[str, str] = field(default_factory=dict)
    """Folders of this computer that a container reads, by where it has them."""
    shared_memory: int | None = None
    """Mebibytes of /dev/shm; None: the engine's default."""
    memories: Sequence[Memory] = ()
    """Writable folders in memory, besides /tmp and that of its data."""

    @property
    def all_memories(self) -> list[Memory]:
        """Every writable folder in memory."""
        return [TMP, *([self.data.memory] if self.data.memory else []), *self.memories]
