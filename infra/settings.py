"""The typed stack config: the only reader of what `Pulumi.<stack>.yaml` says.

Every key is described here with its default, checked before any resource exists, and unknown keys are refused.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import Field, ValidationError, model_validator

from infra.catalogue import ImageSource
from infra.config_errors import ConfigError, describe
from infra.config_values import Duration, Identifier, Name, PinnedImage, Port, RedirectUri, Size, megabytes, seconds
from infra.naming import SERVICES
from infra.provider_settings import SANDBOX, Providers
from infra.section import Section

NAMESPACE = "dashtam"

Storage = Literal["volume", "tmpfs"]
Tuning = Literal["durable", "speed"]

POSTGRES_NEEDS: Mapping[Tuning, int] = {"durable": 192, "speed": 384}
"""Mebibytes that PostgreSQL takes beside its data: shared buffers, maintenance and connections."""


class NetworkSettings(Section):
    """`dashtam:network`: the network that an environment's services share."""

    internal: bool = False
    """No way out to the internet or to other networks, and no published ports."""


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


class TokenSettings(Section):
    """`dashtam:tokens`: how providers' tokens are encrypted."""

    keys: Annotated[tuple[Name, ...], Field(min_length=1)] = ("k1",)
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


class StackSettings(Section):
    """Everything that `Pulumi.<stack>.yaml` says under `dashtam:`."""

    network: NetworkSettings = NetworkSettings()
    postgres: PostgresSettings
    redis: RedisSettings = RedisSettings()
    app: AppSettings
    callback: CallbackSettings = CallbackSettings()
    sandbox: SandboxSettings = SandboxSettings()
    providers: Providers = Field(default_factory=dict)
    tokens: TokenSettings = TokenSettings()
    health: HealthSettings = HealthSettings()
    containers: ContainerSettings = ContainerSettings()
    certificates: CertificateSettings = CertificateSettings()
    images: ImageSettings = ImageSettings()
    tests: TestSettings = TestSettings()

    @property
    def ports(self) -> dict[str, int | None]:
        """The host ports by component; None where unpublished."""
        return {
            "app": self.app.port,
            "postgres": self.postgres.port,
            "redis": self.redis.port,
            "callback": self.callback.port,
            "sandbox": self.sandbox.port if self.sandbox.enabled else None,
        }

    @property
    def services(self) -> tuple[str, ...]:
        """The services that this environment has."""
        return tuple(name for name in SERVICES if name != SANDBOX or self.sandbox.enabled)

    @model_validator(mode="after")
    def _sandbox_is_for_development(self) -> Self:
        if self.sandbox.enabled and not (self.app.debug or self.app.testing):
            raise ValueError(
                "sandbox.enabled lets anyone link an account as anybody, so it goes with app.debug or app.testing only;"
                " set one of these, or sandbox.enabled: false"
            )
        return self

    @model_validator(mode="after")
    def _ports_are_distinct(self) -> Self:
        users: dict[int, str] = {}
        for name, port in self.ports.items():
            if port is None:
                continue
            if port in users:
                raise ValueError(
                    f"port {port} is used by both {users[port]} and {name}, and only one can listen on it;"
                    f" give {name} another port"
                )
            users[port] = name
        return self

    @model_validator(mode="after")
    def _internal_publishes_nothing(self) -> Self:
        published = [name for name, port in self.ports.items() if port is not None]
        if self.network.internal and published:
            raise ValueError(
                f"an internal network publishes nothing, but {', '.join(published)} ask for a port;"
                " remove the port, or set network.internal: false"
            )
        return self


def load(stack: str, config: Mapping[str, str], secret_keys: frozenset[str] = frozenset()) -> StackSettings:
    """Check a stack's whole config as Pulumi hands it over.

    Args:
        stack: The stack's name, for messages.
        config: Every config value by its full key (`dashtam:app`), objects as JSON.
        secret_keys: Full keys whose values must not be shown.

    Returns:
        The settings, complete and valid.

    Raises:
        ConfigError: Some values are wrong; the message names each key, value, reason and remedy.
    """
    return load_document(stack, {key: _parsed(value) for key, value in config.items()}, secret_keys)


def load_document(
    stack: str, document: Mapping[str, object], secret_keys: frozenset[str] = frozenset()
) -> StackSettings:
    """Check a stack's whole config as its file says it.

    Args:
        stack: The stack's name, for messages.
        document: What stands under `config:`, by full key.
        secret_keys: Full keys whose values must not be shown.

    Returns:
        The settings, complete and valid.

    Raises:
        ConfigError: Some values are wrong; the message names each key, value, reason and remedy.
    """
    prefix = f"{NAMESPACE}:"
    own = {key.removeprefix(prefix): value for key, value in document.items() if key.startswith(prefix)}
    hidden = frozenset(key.removeprefix(prefix) for key in secret_keys)
    try:
        return StackSettings.model_validate_json(json.dumps(own, default=str))
    except ValidationError as error:
        raise ConfigError(describe(stack, error, StackSettings, hidden)) from None


def _parsed(value: str) -> object:
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return value
