"""The sections of the stack config: those of one service each, and those that hold for all of them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from ipaddress import ip_address
from math import ceil
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from infra.catalogue import ImageSource
from infra.config.values import (
    Address,
    Duration,
    EngineAddress,
    Filled,
    Host,
    Identifier,
    Library,
    Name,
    NodeName,
    Parameter,
    ParameterValue,
    PinnedImage,
    Port,
    RedirectUri,
    Registry,
    Size,
    is_address,
    megabytes,
    numbers,
    seconds,
)
from infra.engine import SHM_MEGABYTES
from infra.loopback import LOCALHOST, LOOPBACK

Storage = Literal["volume", "tmpfs"]
Tuning = Literal["durable", "speed"]

POSTGRES_NEEDS: Mapping[Tuning, int] = {"durable": 192, "speed": 384}
"""Mebibytes that PostgreSQL takes beside its data: shared buffers, maintenance and connections."""

POSTGRES_BUFFERS: Mapping[Tuning, int] = {"durable": 128, "speed": 256}
"""Mebibytes of these that are shared buffers."""

POSTGRES_TUNING: Mapping[Tuning, Mapping[str, str]] = {
    "durable": {},
    "speed": {
        "synchronous_commit": "off",
        "fsync": "off",
        "full_page_writes": "off",
        "wal_level": "minimal",
        "max_wal_senders": "0",
        "random_page_cost": "1.0",
        "shared_buffers": "256MB",
        "effective_cache_size": "512MB",
        "maintenance_work_mem": "128MB",
        "wal_buffers": "16MB",
        "max_connections": "100",
    },
}
"""Server parameters that `tuning` sets."""

POOL = 10
"""The most connections of one container of the app."""

RESERVED_CONNECTIONS = 3
"""What PostgreSQL keeps for superusers."""

CONNECTIONS = (POOL + RESERVED_CONNECTIONS, 800)
"""The fewest, and the most: each is a process, and a container may have 1,024."""

DEFAULT_CONNECTIONS = "100"
"""PostgreSQL's own `max_connections`."""

MIN_BUFFERS = 1 / 8
"""Mebibytes; with fewer, PostgreSQL doesn't start."""


class Section(BaseModel):
    """A config key: an object whose fields are all known, of the exact types, and never changed.

    `reference.config_schema` takes the text below each field for its description.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        if fault := next(self._faults(), None):
            raise ValueError(fault)
        return self

    def _faults(self) -> Iterator[str]:
        """Yield which of its values don't go together, why, and what to set instead."""
        yield from ()


RESERVED_SERVER_PARAMETERS: Mapping[str, str] = {
    r"ssl(_.*)?|password_encryption|hba_file|ident_file|krb_.*": "every client is to come by TLS and scram-sha-256",
    r"listen_addresses|port|unix_socket_.*|bonjour.*": "clients and health checks find the server where it listens now",
    r"data_directory|config_file|external_pid_file|include.*": "the image says where its files are",
    r"shared_preload_libraries": "dashtam:postgres.preload sets it",
}
"""Parameters that the environment depends on, as patterns, and why."""

DURABILITY = ("fsync", "full_page_writes")
"""Parameters without which a crash ruins data."""

_BLOCKS_A_MEGABYTE = 128
_UNITS = {"B": 1 / 1024**2, "kB": 1 / 1024, "MB": 1, "GB": 1024, "TB": 1024**2, "": 1 / _BLOCKS_A_MEGABYTE}


def parameter_megabytes(value: str) -> float:
    """Return the mebibytes of a parameter that is given in blocks of 8 KiB or with a unit; 0 of any other text."""
    found = re.fullmatch(rf"((?:0|[1-9][0-9]*)(?:\.[0-9]+)?)\s*({'|'.join(_UNITS)})", value.strip())
    return float(found[1]) * _UNITS[found[2]] if found else 0


def is_off(value: str) -> bool:
    """Return whether a parameter's value is one of PostgreSQL's words for false, or an unambiguous prefix of one."""
    text = value.strip().lower()
    return text in {"0", "of", "off"} or any(text and word.startswith(text) for word in ("false", "no"))


def _own_parameters(parameters: dict[str, str]) -> dict[str, str]:
    for name in parameters:
        reasons = [why for pattern, why in RESERVED_SERVER_PARAMETERS.items() if re.fullmatch(pattern, name)]
        if reasons:
            raise ValueError(f"{name} can't be set: {reasons[0]}; remove it")
    fewest, most = CONNECTIONS
    if not re.fullmatch(numbers(fewest, most), parameters.get("max_connections", str(most))):
        raise ValueError(
            f"max_connections is a whole number from {fewest}, which the app needs, to {most}: each connection is a"
            " process"
        )
    if parameter_megabytes(parameters.get("shared_buffers", "1GB")) < MIN_BUFFERS:
        raise ValueError("shared_buffers is a size from 128kB on, in B, kB, MB, GB or TB; write 256MB, for example")
    return parameters


class PostgresSettings(Section):
    """`dashtam:postgres`: the database."""

    database: Identifier
    """The database's name."""
    user: Identifier
    """The role that owns it."""
    port: Port | None = None
    """The port on `network.bind_address`; not published if absent."""
    storage: Storage = "volume"
    """`volume` keeps the data, `tmpfs` loses it with the container."""
    tmpfs_size: Size = "512m"
    """The most that a tmpfs may hold; it counts towards `memory`."""
    tuning: Tuning = "durable"
    """`speed` turns durability off; only for data that isn't kept."""
    memory: Size = "1g"
    """The container's memory limit."""
    shm_size: Size | None = None
    """The most that parallel queries share (/dev/shm); it counts towards `memory`. Absent: what the rest leaves of
    that."""
    parameters: Annotated[dict[Parameter, ParameterValue], AfterValidator(_own_parameters)] = Field(
        default_factory=dict
    )
    """Server parameters, such as `max_connections: 200`; they override what `tuning` sets."""
    preload: Annotated[tuple[Library, ...], Field(json_schema_extra={"uniqueItems": True})] = ()
    """Libraries of extensions to load at the start, such as `pg_stat_statements`."""

    @property
    def is_lasting(self) -> bool:
        """Whether its data outlasts its container, and with it what that is reached and read with."""
        return self.storage == "volume"

    @property
    def server_parameters(self) -> dict[str, str]:
        """The server parameters that follow from the config, and decide with which data the server starts."""
        preload = {"shared_preload_libraries": ",".join(self.preload)} if self.preload else {}
        return {**POSTGRES_TUNING[self.tuning], **self.parameters, **preload}

    @property
    def needed(self) -> int:
        """The mebibytes that it takes without /dev/shm."""
        buffers = POSTGRES_BUFFERS[self.tuning]
        wanted = ceil(parameter_megabytes(self.parameters.get("shared_buffers", f"{buffers}MB")))
        in_memory = megabytes(self.tmpfs_size) if self.storage == "tmpfs" else 0
        return POSTGRES_NEEDS[self.tuning] - buffers + wanted + in_memory

    @property
    def shared_memory(self) -> int:
        """The mebibytes of /dev/shm."""
        if self.shm_size:
            return megabytes(self.shm_size)
        return max(SHM_MEGABYTES, megabytes(self.memory) - self.needed)

    def _faults(self) -> Iterator[str]:
        in_memory = self.storage == "tmpfs"
        if self.tuning == "speed" and not in_memory:
            yield (
                "tuning speed turns fsync off, so a crash would ruin the data that storage volume promises to keep;"
                " set tuning: durable, or storage: tmpfs"
            )
        unsafe = [name for name in DURABILITY if not in_memory and is_off(self.parameters.get(name, ""))]
        if unsafe:
            yield (
                f"parameters turns {' and '.join(unsafe)} off, so a crash would ruin the data that storage volume"
                " promises to keep; remove it, or set storage: tmpfs"
            )
        if megabytes(self.memory) < self.needed:
            yield (
                f"memory {self.memory} is less than what PostgreSQL takes with tuning {self.tuning}"
                f"{f' and a tmpfs of {self.tmpfs_size}' if in_memory else ''}, so the engine would kill it;"
                f" set memory: {self.needed}m or more{', or a smaller tmpfs_size' if in_memory else ''}"
            )
        if self.shm_size and megabytes(self.shm_size) > megabytes(self.memory):
            yield f"shm_size {self.shm_size} is more than memory {self.memory}, of which it is a part"


class RedisSettings(Section):
    """`dashtam:redis`: the cache."""

    database: Annotated[int, Field(ge=0, le=15)] = 0
    """The database's number."""
    port: Port | None = None
    """The port on `network.bind_address`; not published if absent."""
    storage: Storage = "volume"
    """`volume` keeps the data, `tmpfs` loses it with the container."""
    tmpfs_size: Size = "256m"
    """The most that a tmpfs may hold."""
    persistence: Literal["aof", "none"] = "aof"
    """`aof` appends every write to a file, `none` keeps memory only."""
    memory: Size = "256m"
    """The container's memory limit."""

    def _faults(self) -> Iterator[str]:
        if (self.persistence == "aof") != (self.storage == "volume"):
            yield (
                f"persistence {self.persistence} can't be combined with storage {self.storage}: what is written would"
                " not last, or the volume would stay empty; use aof with volume, or none with tmpfs"
            )


class AppSettings(Section):
    """`dashtam:app`: the service."""

    port: Port | None = None
    """The HTTPS port on `network.bind_address`; not published if absent."""
    build: Literal["development", "production"] = "production"
    """`development` mounts the source and reloads on an edit."""
    debug: bool = False
    """DEBUG of the service: pages show why linking failed; logs are plain lines, not JSON."""
    testing: bool = False
    """TESTING of the service."""
    oauth_redirect_uri: RedirectUri
    """Where the provider sends the browser back to, as registered there."""
    memory: Size = "512m"
    """The container's memory limit."""
    debugger_port: Port | None = None
    """The port for a debugger (Debug Adapter Protocol), with `build: development` only; whoever reaches it runs code in
    the service. Off if absent."""

    def _faults(self) -> Iterator[str]:
        if self.debugger_port and self.build != "development":
            yield (
                "debugger_port needs the source and the debugger of the development image; set build: development, or"
                " remove it"
            )


class CallbackSettings(Section):
    """`dashtam:callback`: the server that a provider sends the browser back to."""

    port: Port | None = None
    """The HTTPS port on `network.bind_address`; not published if absent."""
    memory: Size = "256m"
    """The container's memory limit."""


class SandboxSettings(Section):
    """`dashtam:sandbox`: a provider to develop and test against."""

    enabled: bool = False
    """Run a provider at which anyone may log in; allowed only with `app.debug` or `app.testing`."""
    port: Port | None = None
    """The HTTPS port on `network.bind_address`; not published if absent."""
    memory: Size = "256m"
    """The container's memory limit."""


class NetworkSettings(Section):
    """`dashtam:network`: the network that an environment's services share."""

    internal: bool = False
    """No way out to the internet or to other networks, and no published ports."""
    bind_address: Address = LOOPBACK
    """The address of this computer on which ports are published; others than 127.0.0.1 and ::1 are reachable from the
    network, `0.0.0.0` on every interface."""
    hostname: Host = LOCALHOST
    """The name or address by which clients reach published ports: in URLs, redirect URIs and certificates."""

    @property
    def is_exposed(self) -> bool:
        """Whether published ports are reachable from other computers."""
        return not ip_address(self.bind_address).is_loopback

    @property
    def names(self) -> tuple[str, ...]:
        """The host name, where it is one."""
        return () if is_address(self.hostname) else (self.hostname,)

    @property
    def addresses(self) -> tuple[str, ...]:
        """The IP addresses by which clients reach published ports, besides those that every computer has."""
        wanted = dict.fromkeys(one for one in (self.bind_address, self.hostname) if is_address(one))
        return tuple(one for one in wanted if not (ip_address(one).is_loopback or ip_address(one).is_unspecified))

    @property
    def client_host(self) -> str:
        """The host that clients connect to; the name localhost would lead to either of two addresses."""
        if self.hostname != LOCALHOST:
            return self.hostname
        if self.bind_address == LOOPBACK or ip_address(self.bind_address).is_unspecified:
            return LOOPBACK
        return self.bind_address

    def _faults(self) -> Iterator[str]:
        address = ip_address(self.bind_address)
        if self.hostname == LOCALHOST and not (address.is_loopback or address.is_unspecified):
            yield (
                f"nothing listens at localhost if bind_address is {self.bind_address}; set hostname to that address, or"
                " to a name of it"
            )


class TokenSettings(Section):
    """`dashtam:tokens`: how providers' tokens are encrypted."""

    keys: Annotated[tuple[Name, ...], Field(min_length=1, json_schema_extra={"uniqueItems": True})] = ("k1",)
    """The names of the keys that providers' tokens are encrypted with: the last one encrypts, every one decrypts."""

    def _faults(self) -> Iterator[str]:
        if len(set(self.keys)) != len(self.keys):
            yield "a key is named twice; give each a name of its own, such as k1 and k2"


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

    def _faults(self) -> Iterator[str]:
        if seconds(self.start_interval) > seconds(self.interval):
            yield (
                f"start_interval {self.start_interval} is longer than interval {self.interval}, but a service that"
                " starts is to be checked more often; set interval to it or more"
            )


class ContainerSettings(Section):
    """`dashtam:containers`: what holds for every container."""

    restart: Literal["no", "on-failure", "unless-stopped", "always"] = "no"
    """The engine's restart policy; a Swarm always starts what ended again."""
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

    def _faults(self) -> Iterator[str]:
        if self.renewal_days >= self.validity_days:
            yield (
                f"certificates of {self.validity_days} days would be renewed at every up;"
                " set renewal_days below validity_days"
            )


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


class HookSettings(Section):
    """`dashtam:hooks`: commands that `./dashtam` runs on this computer; plain `pulumi up` runs none."""

    healthy: tuple[Filled, ...] = ()
    """One command as a list of words, such as `[npm, run, fixtures]`. `./dashtam up` runs it in the checkout once the
    environment is healthy, with the variables of `./dashtam env ENVIRONMENT --show-secrets`."""


class ReplicaSettings(Section):
    """How many containers run a service, on a Swarm; of every other service there is one."""

    app: Annotated[int, Field(ge=1, le=39)] = 1
    """Of the service. Each takes up to ten connections to PostgreSQL, and so does the one that replaces it."""
    callback: Annotated[int, Field(ge=1, le=100)] = 1
    """Of the callback server."""


class TargetSettings(Section):
    """`dashtam:target`: where the environment runs, the engine of DOCKER_HOST or the Swarm that it is a manager of."""

    kind: Literal["engine", "swarm"] = "engine"
    """`engine` runs containers on one Docker engine, `swarm` runs services on the nodes of a Docker Swarm."""
    expose: bool = False
    """Consent to ports that other computers reach, which a Swarm publishes on every address of each node."""
    replicas: ReplicaSettings = ReplicaSettings()
    """How many containers run a service."""
    data_node: NodeName | None = None
    """The node that keeps the data of PostgreSQL and Redis, and runs them."""
    nodes: dict[NodeName, EngineAddress] = Field(default_factory=dict)
    """The addresses of the nodes' engines. The data node's is needed; others only for what commands do on a node."""
    registry: Registry | None = None
    """Where images are pushed to and nodes pull them from, by digest. Absent: they are loaded on each of `nodes`."""
    encrypted: bool = True
    """Encrypt what nodes send each other, by IPsec; each node's kernel needs ESP, or nothing arrives. `false`: services
    still use TLS with each other. A change is refused while the network exists; `./dashtam down` removes it."""
    drain: Duration = "10s"
    """How long a stopping service still answers requests after it has become unready."""

    @property
    def is_swarm(self) -> bool:
        """Whether the environment runs on a Swarm."""
        return self.kind == "swarm"

    def _faults(self) -> Iterator[str]:
        if not self.is_swarm and self.model_dump(exclude_defaults=True):
            yield (
                "expose, replicas, data_node, nodes, registry, encrypted and drain are for a Swarm; set kind: swarm, or"
                " remove them"
            )
        if self.is_swarm and not self.expose:
            yield (
                "other computers reach the ports of a Swarm, on every address of each node, unlike those of one engine;"
                " set expose: true if that is what you want"
            )
        if self.is_swarm and (self.data_node is None or self.data_node not in self.nodes):
            name = self.data_node or "node1"
            yield (
                "a Swarm's volumes are on one node, which data_node names and whose engine's address is in nodes; set"
                f" data_node: {name} and nodes: {{{name}: unix:///var/run/docker.sock}}, with a name that `docker node"
                " ls` shows"
            )


class TestSettings(Section):
    """`dashtam:tests`: the suite inside the environment."""

    image: bool = False
    """Also build the image that runs the suite inside the environment."""
