"""One environment, wired: data flows from the settings through the components and their endpoints to the outputs."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

import pulumi
import pulumi_random as random

from infra import credentials, recipes
from infra.certificates import Certificates
from infra.config.settings import StackSettings
from infra.endpoints import Endpoint
from infra.images import Images
from infra.naming import DEBUGGER, SANDBOX, SERVICES, Naming
from infra.network import network
from infra.services import providers
from infra.services.app import App, AppArgs
from infra.services.callback import Callback, CallbackArgs
from infra.services.postgres import Postgres, PostgresArgs
from infra.services.providers import Credentials
from infra.services.redis import Redis, RedisArgs
from infra.services.sandbox import Sandbox, SandboxArgs
from infra.services.service import Service, Shared


class Environment(pulumi.ComponentResource):
    """Everything of one environment."""

    outputs: Mapping[str, Any]
    """In the shape of `infra.outputs.StackOutputs`."""

    def __init__(
        self,
        settings: StackSettings,
        naming: Naming,
        clients: Mapping[str, Credentials],
        engine_id: str,
        running: Collection[str],
    ) -> None:
        super().__init__("dashtam:index:Environment", naming.environment)
        self._settings, self._clients = settings, clients
        self._child = pulumi.ResourceOptions(parent=self)
        self._images = Images(settings.images, self)
        self._built = {
            service: self._images.built(stage)
            for service, stage in recipes.stages(settings).items()
            if service in running
        }
        self._shared = Shared(
            naming=naming,
            network=network(naming, internal=settings.network.internal, opts=self._child).name,
            reach=settings.network,
            running=running,
            installer=self._images.postgres.id,
            certificates=Certificates(naming, settings.certificates, self),
            health=settings.health,
            containers=settings.containers,
        )
        self._token_keys = credentials.token_keys(settings.tokens.keys, opts=self._child)
        self._session_key = self._key_of_sessions()
        keys = [*self._token_keys.resources, self._session_key]
        self._database = Postgres(PostgresArgs(settings.postgres, self._images.postgres, keys), self._shared, self)
        self._cache = Redis(RedisArgs(settings.redis, self._images.redis, settings.sandbox.enabled), self._shared, self)
        self._sandbox = self._declare_sandbox()
        self._app = self._declare_app()
        self._callback = self._declare_callback()
        self.outputs = {
            "environment": naming.environment,
            "engine": engine_id,
            **self._data(),
            **self._facts(),
            "app_environment": self._outside(),
        }
        self.register_outputs({})

    def _key_of_sessions(self) -> random.RandomBytes:
        # It was the service's, until it had to outlast the database's volume; tests/data has such a state.
        former = pulumi.Alias(parent=pulumi.create_urn("app", "dashtam:index:App", parent=self))
        return credentials.key("session", opts=pulumi.ResourceOptions(parent=self, aliases=[former]))

    def _declare_sandbox(self) -> Sandbox | None:
        settings = self._settings
        if self._cache.sandbox_login is None:
            return None
        args = SandboxArgs(
            settings=settings.sandbox,
            image=self._built.get(SANDBOX),
            allowed=settings.app.debug or settings.app.testing,
            redirect_uri=settings.app.oauth_redirect_uri,
            client_secret=credentials.password("sandbox-client", opts=self._child).result,
            cache=self._cache.sandbox_login,
        )
        return Sandbox(args, self._shared, self)

    def _declare_app(self) -> App:
        args = AppArgs(
            settings=self._settings.app,
            image=self._built.get("app"),
            database=self._database.login,
            cache=self._cache.login,
            providers=self._provider_file(),
            token_keys=self._token_keys.document,
            session_key=credentials.base64(self._session_key),
        )
        return App(args, self._shared, self)

    def _declare_callback(self) -> Callback:
        args = CallbackArgs(
            settings=self._settings.callback,
            image=self._built.get("callback"),
            build=self._settings.app.build,
            debug=self._settings.app.debug,
            app=self._app.endpoint,
            app_internal=self._app.internal,
        )
        return Callback(args, self._shared, self)

    def _provider_file(self) -> pulumi.Output[str]:
        configured = [
            providers.configured(name, one, self._clients[name]) for name, one in self._settings.providers.items()
        ]
        if self._sandbox is None:
            return pulumi.Output.secret(providers.document(configured))
        # What is configured is secret too, and it is this one Output that says so.
        own = self._sandbox.provider
        return own.apply(lambda own: providers.document([own, *configured]))

    def _outside(self) -> dict[str, str] | None:
        """Return the variables of the app's servers for running them on the host, where that is to be done."""
        if self._app.runs or not self._app.outside:
            return None
        port = self._settings.callback.port
        return {**self._app.outside, **({"CALLBACK_PORT": str(port)} if port else {})}

    def _data(self) -> dict[str, Any]:
        database, cache = self._database.login, self._cache.login
        return {
            "bind_address": self._settings.network.bind_address,
            "hostname": self._settings.network.hostname,
            "client_host": self._settings.network.client_host,
            "ca_certificate": self._shared.certificates.ca,
            "database": {"name": database.database, "user": database.user},
            "database_dsn": database.url if self._database.runs else None,
            "internal_database_dsn": database.internal_url,
            "redis_database": self._settings.redis.database,
            "redis_dsn": cache.url if self._cache.runs else None,
            "internal_redis_dsn": cache.internal_url,
        }

    def _facts(self) -> dict[str, Any]:
        declared: list[Service | None] = [self._database, self._cache, self._app, self._callback, self._sandbox]
        services = dict.fromkeys(SERVICES) | {one.endpoint.host: one for one in declared if one and one.runs}
        naming, tests = self._shared.naming, self._settings.tests.image and self._app.runs
        return {
            "network": self._shared.network,
            "containers": {name: naming.container(name) if one else None for name, one in services.items()},
            "volumes": {one.endpoint.host: one.volume for one in declared if one and one.volume},
            "images": {
                **{name: one.image.reference if one and one.image else None for name, one in services.items()},
                "tests": self._images.built("test").reference if tests else None,
            },
            "ports": {
                **{name: one.endpoint.published if one else None for name, one in services.items()},
                DEBUGGER: self._app.debugger.published if self._app.runs else None,
            },
            "urls": _urls(services, lambda endpoint: endpoint.on_host),
            "internal_urls": _urls(services, lambda endpoint: endpoint.in_network),
            "oauth_redirect_uri": self._settings.app.oauth_redirect_uri,
        }


def _urls(services: Mapping[str, Service | None], origin: Callable[[Endpoint], str | None]) -> dict[str, str | None]:
    found = {name: origin(one.endpoint) if (one := services[name]) else None for name in ("app", "callback", SANDBOX)}
    return {**found, "docs": f"{found['app']}/docs" if found["app"] else None}
