"""The schema of a stack's outputs. Pure: shared by the program, the operator commands and the tests."""

from __future__ import annotations

import json
from typing import Literal

from pydantic import BaseModel, SecretStr

from infra.loopback import LOCALHOST, LOOPBACK


class Record(BaseModel, frozen=True, extra="forbid"):
    """A part of the outputs."""


class Containers(Record):
    """Container names by service; None where the environment has no such service, or it was not chosen to run."""

    postgres: str | None = None
    redis: str | None = None
    app: str | None = None
    callback: str | None = None
    sandbox: str | None = None


class Urls(Record):
    """URLs as one kind of client sees them; None where it can't reach them."""

    app: str | None
    docs: str | None
    callback: str | None
    sandbox: str | None = None


class Ports(Record):
    """Ports on the bind address; None where unpublished."""

    app: int | None
    postgres: int | None
    redis: int | None
    callback: int | None
    sandbox: int | None = None
    debugger: int | None = None


class Database(Record):
    """Which database, and who owns it."""

    name: str
    user: str


class ImageReferences(Record):
    """What the containers run."""

    postgres: str | None = None
    redis: str | None = None
    app: str | None = None
    callback: str | None = None
    sandbox: str | None = None
    tests: str | None


class Target(Record):
    """The Swarm that an environment runs on."""

    kind: Literal["swarm"] = "swarm"
    data_node: str
    """The hostname of the node with the data volumes."""
    nodes: dict[str, str]
    """The addresses of engines, by hostname; not of every node."""
    services: dict[str, str]
    """The names of its Swarm services, by service; `edge` is what publishes ports."""
    replicas: dict[str, int]
    """How many containers run a service, by service; `edge` runs on every node."""


class PublicOutputs(Record):
    """The outputs of a stack that are not secret.

    `engine` is the ID of the Docker engine that it is on; empty where that engine has no lasting one.
    Published ports are bound to `bind_address`; clients connect to `client_host`, and know them by `hostname`.
    `urls` are for clients on the host, `internal_urls` for clients in the environment's network.
    `target` is None where it runs on one engine. On a Swarm, `engine` is the cluster's ID.
    """

    environment: str
    engine: str | None = None
    target: Target | None = None
    network: str
    containers: Containers
    volumes: dict[str, str]
    images: ImageReferences
    ports: Ports
    bind_address: str = LOOPBACK
    hostname: str = LOCALHOST
    client_host: str = LOOPBACK
    urls: Urls
    internal_urls: Urls
    ca_certificate: str
    database: Database
    redis_database: int
    oauth_redirect_uri: str


class StackOutputs(PublicOutputs):
    """All outputs of a stack, with the DSNs: without a prefix for clients on the host, else for its network.

    `app_on_host` is of `infra.services.app.App.on_host`, where postgres and redis run, and the app doesn't.
    """

    database_dsn: SecretStr | None = None
    internal_database_dsn: SecretStr
    redis_dsn: SecretStr | None = None
    internal_redis_dsn: SecretStr
    app_on_host: SecretStr | None = None

    def revealed(self) -> str:
        """Return the outputs as JSON with the secrets in clear, for a process that needs them."""
        secrets = {name: value.get_secret_value() for name, value in self if isinstance(value, SecretStr)}
        return json.dumps({**self.model_dump(mode="json"), **secrets})

    def public(self) -> PublicOutputs:
        """Return the outputs without the secrets."""
        return PublicOutputs.model_validate({name: getattr(self, name) for name in PublicOutputs.model_fields})
