"""The sections of the stack config that are about one service each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from infra.config_values import Identifier, Port, RedirectUri, Size, megabytes
from infra.section import Section

Storage = Literal["volume", "tmpfs"]
Tuning = Literal["durable", "speed"]

POSTGRES_NEEDS: Mapping[Tuning, int] = {"durable": 192, "speed": 384}
"""Mebibytes that PostgreSQL takes beside its data: shared buffers, maintenance and connections."""


class PostgresSettings(Section):
    """`dashtam:postgres`: the database."""

    database: Identifier
    """The database's name."""
    user: Identifier
    """The role that owns it."""
    port: Port | None = None
    """The port on 127.0.0.1; unpublished if absent."""
    storage: Storage = "volume"
    """`volume` keeps the data, `tmpfs` forgets it with the container."""
    tmpfs_size: Size = "512m"
    """The most that a tmpfs may hold; it counts towards `memory`."""
    tuning: Tuning = "durable"
    """`speed` turns durability off; only for storage that is forgotten anyway."""
    memory: Size = "1g"
    """The container's memory limit."""

    @model_validator(mode="after")
    def _durable_data_is_safe(self) -> Self:
        if self.tuning == "speed" and self.storage == "volume":
            raise ValueError(
                "tuning speed turns fsync off, so a crash would ruin the data that storage volume promises to keep;"
                " set tuning: durable, or storage: tmpfs"
            )
        return self

    @model_validator(mode="after")
    def _memory_suffices(self) -> Self:
        held = megabytes(self.tmpfs_size) if self.storage == "tmpfs" else 0
        needed = POSTGRES_NEEDS[self.tuning] + held
        if megabytes(self.memory) < needed:
            raise ValueError(
                f"memory {self.memory} is less than what PostgreSQL takes with tuning {self.tuning}"
                f"{f' and a tmpfs of {self.tmpfs_size}' if held else ''}, so the engine would kill it;"
                f" set memory: {needed}m or more{', or a smaller tmpfs_size' if held else ''}"
            )
        return self


class RedisSettings(Section):
    """`dashtam:redis`: the cache."""

    database: Annotated[int, Field(ge=0, le=15)] = 0
    """The database's number."""
    port: Port | None = None
    """The port on 127.0.0.1; unpublished if absent."""
    storage: Storage = "volume"
    """`volume` keeps the data, `tmpfs` forgets it with the container."""
    tmpfs_size: Size = "256m"
    """The most that a tmpfs may hold."""
    persistence: Literal["aof", "none"] = "aof"
    """`aof` appends every write to a file, `none` keeps memory only."""
    memory: Size = "256m"
    """The container's memory limit."""

    @model_validator(mode="after")
    def _storage_fits(self) -> Self:
        if (self.persistence == "aof") != (self.storage == "volume"):
            raise ValueError(
                f"persistence {self.persistence} does not go with storage {self.storage}: what is written would not"
                " last, or the volume would stay empty; use aof with volume, or none with tmpfs"
            )
        return self


class AppSettings(Section):
    """`dashtam:app`: the service."""

    port: Port | None = None
    """The HTTPS port on 127.0.0.1; unpublished if absent."""
    build: Literal["development", "production"] = "production"
    """`development` mounts the source and reloads on an edit."""
    debug: bool = False
    """DEBUG of the service."""
    testing: bool = False
    """TESTING of the service."""
    oauth_redirect_uri: RedirectUri
    """Where the provider sends the browser back to, as registered there."""
    memory: Size = "512m"
    """The container's memory limit."""


class CallbackSettings(Section):
    """`dashtam:callback`: the server that a provider sends the browser back to."""

    port: Port | None = None
    """The HTTPS port on 127.0.0.1; unpublished if absent."""
    memory: Size = "256m"
    """The container's memory limit."""


class SandboxSettings(Section):
    """`dashtam:sandbox`: a provider to develop and test against."""

    enabled: bool = False
    """Bring along a provider at which anyone may log in; where the service runs with DEBUG or TESTING only."""
    port: Port | None = None
    """The HTTPS port on 127.0.0.1; unpublished if absent."""
    memory: Size = "256m"
    """The container's memory limit."""
