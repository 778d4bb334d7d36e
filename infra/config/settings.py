"""The typed stack config: the only reader of `Pulumi.<stack>.yaml`.

Every key is described here with its default, checked before any resource exists, and unknown keys are refused.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from ipaddress import ip_address
from pathlib import Path

from pydantic import Field, ValidationError

from infra.config.errors import ConfigError, problems
from infra.config.providers import Providers, indistinguishable
from infra.config.sections import (
    DEFAULT_CONNECTIONS,
    POOL,
    RESERVED_CONNECTIONS,
    AppSettings,
    CallbackSettings,
    CertificateSettings,
    ContainerSettings,
    HealthSettings,
    HookSettings,
    ImageSettings,
    NetworkSettings,
    PostgresSettings,
    RedisSettings,
    SandboxSettings,
    Section,
    TargetSettings,
    TestSettings,
    TokenSettings,
)
from infra.config.values import seconds
from infra.loopback import LOCALHOST
from infra.naming import DEBUGGER, SANDBOX, SERVICES, WITH_DATA

NAMESPACE = "dashtam"

ENGINE_KEYS = frozenset(
    f"docker:{key}" for key in ("host", "context", "certPath", "caMaterial", "certMaterial", "keyMaterial", "sshOpts")
)
"""The provider's own keys that lead it to another engine than the one that the guards look at."""

IN_FLIGHT = 10
"""Seconds that the service's servers give requests in flight once they have drained."""


class StackSettings(Section):
    """Everything in `Pulumi.<stack>.yaml` under `dashtam:`."""

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
    hooks: HookSettings = HookSettings()
    tests: TestSettings = TestSettings()
    target: TargetSettings = TargetSettings()

    @property
    def ports(self) -> dict[str, int | None]:
        """The host ports by service, and the app's debugger's; None where unpublished."""
        return {
            "app": self.app.port,
            "postgres": self.postgres.port,
            "redis": self.redis.port,
            "callback": self.callback.port,
            "sandbox": self.sandbox.port if self.sandbox.enabled else None,
            DEBUGGER: self.app.debugger_port,
        }

    @property
    def services(self) -> tuple[str, ...]:
        """The services that this environment has."""
        return tuple(name for name in SERVICES if name != SANDBOX or self.sandbox.enabled)

    def _faults(self) -> Iterator[str]:
        if self.sandbox.enabled and not (self.app.debug or self.app.testing):
            yield (
                "sandbox.enabled lets anyone link an account as anybody, so it is allowed only with app.debug or"
                " app.testing; set one of these, or sandbox.enabled: false"
            )
        yield from indistinguishable(self.providers, self.app.oauth_redirect_uri)
        published = {name: port for name, port in self.ports.items() if port is not None}
        users: dict[int, str] = {}
        for name, port in published.items():
            if port in users:
                yield (
                    f"port {port} is used by both {users[port]} and {name}, and only one can listen on it;"
                    f" give {name} another port"
                )
            users[port] = name
        if self.network.internal and published:
            yield (
                f"an internal network publishes nothing, but {', '.join(published)} ask for a port;"
                " remove the port, or set network.internal: false"
            )
        if self.target.is_swarm:
            yield from _unfit_for_swarm(self)


def _unfit_for_swarm(config: StackSettings) -> Iterator[str]:
    """Yield what target.kind swarm doesn't go with, and the remedy."""
    network, drain, grace = config.network, config.target.drain, config.containers.stop_grace
    closed = [name for name in WITH_DATA if config.ports[name]]
    if config.app.build == "development":
        yield (
            "app.build development mounts the source of this checkout, which the nodes of a Swarm don't have; set"
            " app.build: production, or target.kind: engine"
        )
    if closed:
        yield (
            f"a Swarm would publish the port of {' and '.join(closed)} on every address of each node; remove the port,"
            " and use `./dashtam db-shell` or a service in the environment's network"
        )
    published = any(config.ports.values())
    if published and not ip_address(network.bind_address).is_unspecified:
        yield (
            f"a Swarm can't bind ports to {network.bind_address} alone: it publishes them on every address of each"
            " node; set network.bind_address: 0.0.0.0"
        )
    if published and network.hostname == LOCALHOST:
        yield (
            "clients on other computers don't reach a Swarm as localhost; set network.hostname to a name or an address"
            " of its nodes"
        )
    if seconds(drain) + IN_FLIGHT > seconds(grace):
        yield (
            f"containers.stop_grace {grace} leaves less than {IN_FLIGHT} s after target.drain {drain} for requests in"
            " flight, which would be cut off; set a shorter drain, or a longer stop_grace"
        )
    replicas = config.target.replicas.app
    # A replaced one still drains while those after it are replaced.
    needed = 2 * replicas * POOL + RESERVED_CONNECTIONS
    if needed > int(config.postgres.server_parameters.get("max_connections", DEFAULT_CONNECTIONS)):
        yield (
            f"{replicas} replicas of the app may take {needed} connections to PostgreSQL; set"
            f' postgres.parameters.max_connections: "{needed}" at least, or fewer target.replicas.app'
        )


def load(stack: str, config: Mapping[str, str], secret_keys: frozenset[str] = frozenset()) -> StackSettings:
    """Check a stack's whole config as Pulumi hands it over: every value by its full key, objects as JSON.

    A `ConfigError` names each key that is wrong, its value unless that is secret, the reason and the remedy.
    """
    return load_document(stack, {key: _parsed(value) for key, value in config.items()}, secret_keys)


def load_document(
    stack: str,
    document: Mapping[str, object],
    secret_keys: frozenset[str] = frozenset(),
    line: Callable[[tuple[str, ...]], int] = lambda _: 0,
) -> StackSettings:
    """Check a stack's whole config as its file has it under `config:`; errors are those of `load`.

    `line` returns the line of a key in that file; 0 where it isn't known.
    """
    if found := sorted(ENGINE_KEYS & document.keys()):
        reason = (
            "an engine is chosen by DOCKER_HOST or `docker context use NAME`, for all that looks at it; remove the key."
        )
        raise ConfigError(stack, [f"{key} is not used: {reason}" for key in found])
    prefix = f"{NAMESPACE}:"
    own = {key.removeprefix(prefix): value for key, value in document.items() if key.startswith(prefix)}
    hidden = frozenset(key.removeprefix(prefix) for key in secret_keys)
    try:
        return StackSettings.model_validate_json(json.dumps(own, default=str))
    except ValidationError as error:
        raise ConfigError(stack, problems(error, StackSettings, hidden, line)) from None


def load_file(stack: str, path: Path) -> StackSettings:
    """Check the whole config in a stack's file; errors are those of `load`, with the line of each key."""
    from infra.config import file  # noqa: PLC0415 - it imports yaml, and the program gets its values from Pulumi

    found = file.read(stack, path)
    names = {key.removeprefix(f"{NAMESPACE}:"): key for key in found.values}

    def line(location: tuple[str, ...]) -> int:
        return found.line((names.get(location[0], location[0]), *location[1:])) if location else 0

    return load_document(stack, found.values, line=line)


def _parsed(value: str) -> object:
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return value
