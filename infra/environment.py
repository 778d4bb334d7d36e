"""One environment, wired: data flows from the settings through the components and their endpoints to the outputs."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import Any

import pulumi
import pulumi_random as random

from infra import credentials, recipes
from infra.catalogue import POSTGRES, REDIS
from infra.certificates import Certificates
from infra.config.settings import StackSettings
from infra.endpoints import Endpoint
from infra.engine import Inventory
from infra.images import Image
from infra.naming import DEBUGGER, SANDBOX, SERVICES, Naming
from infra.services import providers
from infra.services.app import App, AppArgs
from infra.services.callback import Callback
from infra.services.postgres import Postgres
from infra.services.providers import Credentials
from infra.services.redis import Redis
from infra.services.sandbox import Sandbox
from infra.services.service import Service, Shared
from infra.targets.engine import EngineTarget
from infra.targets.swarm import SwarmTarget
from infra.targets.target import Target


class Environment(pulumi.ComponentResource):
    """Everything of one environment."""

    outputs: dict[str, Any]
    """In the shape of `infra.outputs.StackOutputs`."""

    def __init__(
        self,
        settings: StackSettings,
        naming: Naming,
        clients: Mapping[str, Credentials],
        inventory: Inventory,
        running: Collection[str],
    ) -> None:
        """Declare it: containers for the services that run, and for the others all that lasts without one."""
        super().__init__("dashtam:index:Environment", naming.environment)
        self._settings, self._clients = settings, clients
        self._child = pulumi.ResourceOptions(parent=self)
        self._target: Target = (
            SwarmTarget(naming, settings, inventory.published, self)
            if settings.target.is_swarm
            else EngineTarget(naming, settings, self)
        )
        self._running = self._images_of(running)
        certificates = Certificates(naming, settings.certificates, self)
        shared = self._shared = Shared(self._target, certificates)
        # Pulumi neither replaces nor deletes what lasting data is read with.
        protected = pulumi.ResourceOptions(parent=self, protect=settings.postgres.is_lasting)
        keys, self._token_keys = credentials.token_keys(settings.tokens.keys, opts=protected)
        self._session_key = self._key_of_sessions(protected)
        self._database = Postgres(settings.postgres, [*keys, self._session_key], shared)
        self._cache = Redis(settings.redis, shared, sandbox=settings.sandbox.enabled)
        login = self._cache.sandbox_login
        self._sandbox = Sandbox(settings.sandbox, settings.app, login, shared) if login else None
        self._app_args = self._args_of_app()
        self._app = App(self._app_args, shared)
        self._callback = Callback(settings.callback, settings.app, self._app, shared)
        has_tests = "app" in running and settings.tests.image
        self._tests = self._target.images.built("test") if has_tests else None
        self._target.start(self._running)
        self.outputs = {"engine": inventory.id, "app_on_host": self._app_on_host(), **self._data(), **self._facts()}
        self.register_outputs({})

    def _images_of(self, running: Collection[str]) -> dict[str, Image]:
        images, stages = self._target.images, recipes.stages(self._settings)
        bases = {POSTGRES.name: images.postgres, REDIS.name: images.redis}
        return {
            **{service: image for service, image in bases.items() if service in running},
            **{service: images.built(stage) for service, stage in stages.items() if service in running},
        }

    def _key_of_sessions(self, opts: pulumi.ResourceOptions) -> random.RandomBytes:
        # It was the service's, until it had to outlast the database's volume; tests/data has such a state.
        former = pulumi.Alias(parent=pulumi.create_urn("app", "dashtam:index:App", parent=self))
        aliased = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(aliases=[former]))
        return credentials.key("session", opts=aliased)

    def _args_of_app(self) -> AppArgs:
        return AppArgs(
            settings=self._settings.app,
            database=self._database.login,
            cache=self._cache.login,
            providers=self._provider_file(),
            token_keys=self._token_keys,
            session_key=credentials.base64(self._session_key),
        )

    def _provider_file(self, *, on_host: bool = False) -> pulumi.Output[str]:
        configured = [
            providers.configured(name, one, self._clients[name]) for name, one in self._settings.providers.items()
        ]
        if self._sandbox is None:
            return pulumi.Output.secret(providers.document(configured))
        # What is configured is secret too, and it is this one Output that says so.
        own = self._sandbox.provider.apply(providers.on_host) if on_host else self._sandbox.provider
        return own.apply(lambda own: providers.document([own, *configured]))

    def _app_on_host(self) -> pulumi.Output[str] | None:
        if "app" in self._running or not {POSTGRES.name, REDIS.name} <= self._running.keys():
            return None
        args = replace(self._app_args, providers=self._provider_file(on_host=True))
        return self._app.on_host(args, self._settings.callback.port)

    def _data(self) -> dict[str, Any]:
        database, cache = self._database.login, self._cache.login
        return {
            "bind_address": self._settings.network.bind_address,
            "hostname": self._settings.network.hostname,
            "client_host": self._settings.network.client_host,
            "ca_certificate": self._shared.certificates.ca,
            "database": {"name": database.database, "user": database.user},
            "database_dsn": database.url if POSTGRES.name in self._running else None,
            "internal_database_dsn": database.internal_url,
            "redis_database": self._settings.redis.database,
            "redis_dsn": cache.url if REDIS.name in self._running else None,
            "internal_redis_dsn": cache.internal_url,
        }

    def _facts(self) -> dict[str, Any]:
        made = (self._database, self._cache, self._app, self._callback, self._sandbox)
        declared: dict[str, Service] = {one.endpoint.host: one for one in made if one}
        services = dict.fromkeys(SERVICES) | {name: one for name, one in declared.items() if name in self._running}
        naming, has_app = self._target.naming, "app" in self._running
        return {
            "environment": naming.environment,
            "target": self._target.facts,
            "network": self._target.network,
            "containers": {name: naming.container(name) if one else None for name, one in services.items()},
            "volumes": {name: volume for name, one in declared.items() if (volume := one.workload.data.volume)},
            "images": {
                **{name: image.reference for name, image in self._running.items()},
                "tests": self._tests.reference if self._tests else None,
            },
            "ports": {
                **{name: one.endpoint.published if one else None for name, one in services.items()},
                DEBUGGER: self._app.debugger.published if has_app else None,
            },
            "urls": _urls(services, lambda endpoint: endpoint.on_host),
            "internal_urls": _urls(services, lambda endpoint: endpoint.in_network),
            "oauth_redirect_uri": self._settings.app.oauth_redirect_uri,
        }


def _urls(services: Mapping[str, Service | None], origin: Callable[[Endpoint], str | None]) -> dict[str, str | None]:
    found = {name: origin(one.endpoint) if (one := services[name]) else None for name in ("app", "callback", SANDBOX)}
    return {**found, "docs": f"{found['app']}/docs" if found["app"] else None}
