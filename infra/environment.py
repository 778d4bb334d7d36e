"""One environment, wired: data flows from the settings through the components to the outputs."""

from __future__ import annotations

from collections.abc import Mapping

import pulumi

from infra import credentials, origins, recipes
from infra.certificates import Certificates
from infra.config.settings import StackSettings
from infra.engine import Engine
from infra.images import Images
from infra.naming import SERVICES, Naming
from infra.network import network
from infra.services import app, callback, postgres, providers, redis, sandbox
from infra.services.providers import Credentials
from infra.services.service import Shared

LOOPBACK = "127.0.0.1"


class Environment(pulumi.ComponentResource):
    """Everything of one environment.

    Args:
        settings: The stack's config.
        naming: The environment's names.
        clients: What the service is known by at the configured providers.
        engine: The Docker engine that it is on.

    Attributes:
        outputs: Values in the shape of `infra.outputs.StackOutputs`.
    """

    def __init__(
        self, settings: StackSettings, naming: Naming, clients: Mapping[str, Credentials], engine: Engine
    ) -> None:
        super().__init__("dashtam:index:Environment", naming.environment)
        self._settings, self._naming, self._clients, self._engine = settings, naming, clients, engine
        child = pulumi.ResourceOptions(parent=self)
        self._network = network(naming, internal=settings.network.internal, opts=child)
        self._images = Images(settings.images, child)
        self._certificates = Certificates(naming, settings.certificates, settings.services, child)
        shared = Shared(naming, self._network.name, self._images.postgres.id, settings.health, settings.containers)
        # Of the service, until the database's volume had to come after them.
        earlier = pulumi.Alias(parent=pulumi.create_urn(app.NAME, app.TYPE, parent=self))
        lasting = pulumi.ResourceOptions(parent=self, aliases=[earlier])
        self._token_keys = credentials.token_keys(settings.tokens.keys, opts=lasting)
        self._session_key = credentials.random_key("session", opts=lasting)
        self._postgres = postgres.Postgres(
            postgres.PostgresArgs(
                settings.postgres,
                self._images.postgres,
                self._certificates,
                [*self._token_keys.resources, self._session_key],
            ),
            shared,
            child,
        )
        self._redis = redis.Redis(
            redis.RedisArgs(settings.redis, self._images.redis, self._certificates, sandbox=settings.sandbox.enabled),
            shared,
            child,
        )
        self._serve(shared, child)
        self.outputs = {**self._addresses(), **self._secrets(), **self._facts()}
        self.register_outputs({})

    def _serve(self, shared: Shared, child: pulumi.ResourceOptions) -> None:
        settings = self._settings
        stages = recipes.stages(settings)
        built = {stage: self._images.built(stage) for stage in dict.fromkeys(stages.values())}
        self._built = {service: built[stage] for service, stage in stages.items()}
        self._tests_image = self._images.built("test") if settings.tests.image else None
        secret = credentials.password("sandbox-client", opts=child).result if settings.sandbox.enabled else None
        service = app.AppArgs(
            settings,
            self._built[app.NAME],
            self._certificates,
            database_password=self._postgres.password,
            redis_password=self._redis.password,
            providers=self._provider_file(secret),
            token_keys=self._token_keys.document,
            session_key=credentials.base64(self._session_key),
        )
        app.App(service, shared, child)
        callback.Callback(
            callback.CallbackArgs(settings, self._built[callback.NAME], self._certificates), shared, child
        )
        if secret and self._redis.sandbox_password:
            there = sandbox.SandboxArgs(
                settings,
                self._built[sandbox.NAME],
                self._certificates,
                client_secret=secret,
                redis_password=self._redis.sandbox_password,
            )
            sandbox.Sandbox(there, shared, child)

    def _provider_file(self, sandbox_secret: pulumi.Output[str] | None) -> pulumi.Output[str]:
        configured = [
            providers.configured(name, one, self._clients[name]) for name, one in self._settings.providers.items()
        ]
        if sandbox_secret is None:
            return pulumi.Output.secret(providers.document(configured))
        here = sandbox.issuer(self._settings), origins.in_network(sandbox.NAME, sandbox.PORT), sandbox.CLIENT_ID
        # What is configured is secret too, and it is this one Output that says so.
        return sandbox_secret.apply(lambda secret: providers.document([providers.sandbox(*here, secret), *configured]))

    def _addresses(self) -> dict[str, object]:
        ports = self._settings.ports
        return {
            "ports": ports,
            "urls": _urls(*(origins.on_host(ports[name]) for name in (app.NAME, callback.NAME, sandbox.NAME))),
            "internal_urls": _urls(
                origins.in_network(app.NAME, app.PORT),
                origins.in_network(callback.NAME, callback.PORT),
                origins.in_network(sandbox.NAME, sandbox.PORT) if self._settings.sandbox.enabled else None,
            ),
        }

    def _secrets(self) -> dict[str, object]:
        database, cache = self._settings.postgres, self._settings.redis
        return {
            "ca_certificate": self._certificates.ca,
            "database_dsn": self._postgres.dsn(LOOPBACK, database.port, database) if database.port else None,
            "internal_database_dsn": self._postgres.dsn(postgres.NAME, postgres.PORT, database),
            "redis_dsn": self._redis.dsn(LOOPBACK, cache.port, cache) if cache.port else None,
            "internal_redis_dsn": self._redis.dsn(redis.NAME, redis.PORT, cache),
        }

    def _facts(self) -> dict[str, object]:
        settings = self._settings
        volumes = {postgres.NAME: self._postgres.volume, redis.NAME: self._redis.volume}
        return {
            "environment": self._naming.environment,
            "engine": self._engine.id,
            "network": self._network.name,
            "containers": {
                service: self._naming.container(service) if service in settings.services else None
                for service in SERVICES
            },
            "volumes": {service: volume for service, volume in volumes.items() if volume},
            "images": self._references(),
            "database": {"name": settings.postgres.database, "user": settings.postgres.user},
            "redis_database": settings.redis.database,
            "oauth_redirect_uri": settings.app.oauth_redirect_uri,
        }

    def _references(self) -> dict[str, str | None]:
        return {
            postgres.NAME: self._images.postgres.reference,
            redis.NAME: self._images.redis.reference,
            sandbox.NAME: None,
            **{service: image.reference for service, image in self._built.items()},
            "tests": self._tests_image.reference if self._tests_image else None,
        }


def _urls(app_url: str | None, callback_url: str | None, sandbox_url: str | None) -> dict[str, str | None]:
    docs = f"{app_url}/docs" if app_url else None
    return {"app": app_url, "docs": docs, "callback": callback_url, "sandbox": sandbox_url}
