"""The sections of the stack config: those of one service each, and those that hold for all of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from infra.catalogue import ImageSource
from infra.config.values import Duration, Identifier, Name, PinnedImage, Port, RedirectUri, Size, megabytes, seconds

Storage = Literal["volume", "tmpfs"]
Tuning = Literal["durable", "speed"]

POSTGRES_NEEDS: Mapping[Tuning, int] = {"durable": 192, "speed": 384}
"""Mebibytes that PostgreSQL takes beside its data: shared buffers, maintenance and connections."""


class Section(BaseModel):
    """A config key: an object whose fields are all known, of the exact types, and never changed."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, use_attribute_docstrings=True)


class PostgresSettings(Section):
    """`dashtam:postgres`: the database."""

    database: Identifier
    """The database's name."""
    user: Identifier
    """The role that owns it."""
    port: Port | None = None
    """The port on 127.0.0.1; unpublished if absent."""
    storage: Storage = "volume"
    """`volume` keeps the data, `tmpfs` loses it with the container."""
    tmpfs_size: Size = "512m"
    """The most that a tmpfs may hold; it counts towards `memory`."""
    tuning: Tuning = "durable"
    """`speed` turns durability off; only for data that isn't kept."""
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
        in_memory = megabytes(self.tmpfs_size) if self.storage == "tmpfs" else 0
        needed = POSTGRES_NEEDS[self.tuning] + in_memory
        if megabytes(self.memory) < needed:
            raise ValueError(
                f"memory {self.memory} is less than what PostgreSQL takes with tuning {self.tuning}"
                f"{f' and a tmpfs of {self.tmpfs_size}' if in_memory else ''}, so the engine would kill it;"
                f" set memory: {needed}m or more{', or a smaller tmpfs_size' if in_memory else ''}"
            )
        return self


class RedisSettings(Section):
    """`dashtam:redis`: the cache."""

    database: Annotated[int, Field(ge=0, le=15)] = 0
    """The database's number."""
    port: Port | None = None
    """The port on 127.0.0.1; unpublished if absent."""
    storage: Storage = "volume"
    """`volume` keeps the data, `tmpfs` loses it with the container."""
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


class NetworkSettings(Section):
    """`dashtam:network`: the network that an environment's services share."""

    internal: bool = False
    """No way out to the internet or to other networks, and no published ports."""


class TokenSettings(Section):
    """`dashtam:tokens`: how providers' tokens are encrypted."""

    keys: Annotated[tuple[Name, ...], Field(min_length=1, json_schema_extra={"uniqueItems": True})] = ("k1",)
    """The names of the keys that providers' tokens are encrypted with: the last one encrypts, every one decrypts."""

    @model_validator(mode="after")
    def _keys_are_distinct(self) -> Self:
        if len(set(self.keys)) != len(self.keys):
            raise ValueError("a key is named twice; give each a name of its own, such as k1 and k2")
        return self


class HealthSettings(Section):
    """`dashtam:health`: how services are checked."""

    start_interval: Duration = "500ms"
    """Time between two checks until the first success."""
    interval: Duration = "5s"
    """Time between two checks from then on."""
    timeout: Duration = "5s"
    """How long one check may take."""
    retries: Annotated[int, Field(ge=1, le=100)] = 5
    """Failed checks in a row until a container that was healthy counts as unhealthy."""
    wait: Duration = "90s"
    """How long `up` waits for a container to become healthy."""

    @model_validator(mode="after")
    def _starts_faster(self) -> Self:
        if seconds(self.start_interval) > seconds(self.interval):
            raise ValueError(
                f"start_interval {self.start_interval} is longer than interval {self.interval}, but a service that"
                " starts is to be checked more often; set interval to it or more"
            )
        return self


class ContainerSettings(Section):
    """`dashtam:containers`: what holds for every container."""

    restart: Literal["no", "on-failure", "unless-stopped", "always"] = "no"
    """The engine's restart policy."""
    stop_grace: Duration = "30s"
    """Time to stop in good order before the engine kills."""
    log_size: Size = "16m"
    """The size at which a log file is rotated; three are kept."""


class CertificateSettings(Section):
    """`dashtam:certificates`: the stack's CA and its certificates."""

    validity_days: Annotated[int, Field(ge=2, le=825)] = 365
    """How long the CA and its certificates are valid."""
    renewal_days: Annotated[int, Field(ge=1, le=400)] = 30
    """An `up` within so many days of the end renews them."""

    @model_validator(mode="after")
    def _renewal_within_validity(self) -> Self:
        if self.renewal_days >= self.validity_days:
            raise ValueError(
                f"certificates of {self.validity_days} days would be renewed at every up;"
                " set renewal_days below validity_days"
            )
        return self


class ImageSettings(Section):
    """`dashtam:images`: the base images."""

    source: ImageSource | None = None
    """`registry` or `debian`; absent: what this machine uses."""
    postgres: PinnedImage | None = None
    """Another PostgreSQL image."""
    redis: PinnedImage | None = None
    """Another Redis image."""
    python: PinnedImage | None = None
    """Another base for the service's images."""
    node: PinnedImage | None = None
    """Another base for the sandbox's image."""


class TestSettings(Section):
    """`dashtam:tests`: the suite inside the environment."""

    image: bool = False
    """Also build the image that runs the suite inside the environment."""
