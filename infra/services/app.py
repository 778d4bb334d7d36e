"""The service: FastAPI over HTTPS, with its database and its cache."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

import pulumi

from infra.catalogue import PYTHON, ROOT
from infra.config.sections import AppSettings
from infra.endpoints import Endpoint, Login
from infra.services import redis
from infra.services.health import SCHEDULE
from infra.services.service import TLS_VARIABLES, Service, Shared
from infra.targets.workload import MOUNT, Workload

NAME = "app"
PORT = 8000
INTERNAL_PORT = 9000
"""Never published: metrics, and what the callback server asks for."""
DEBUGGER_PORT = 5678
"""Where a debugger attaches, if the config publishes it."""
SOURCE = "/srv/app"

Build = Literal["development", "production"]
"""`development` mounts the source and reloads on an edit."""


@dataclass(frozen=True)
class AppArgs:
    """What the service needs."""

    settings: AppSettings
    database: Login
    cache: Login
    providers: pulumi.Output[str]
    """`providers.json`: the providers whose accounts it links, secret."""
    token_keys: pulumi.Output[str]
    """`token-keys.json`: the keys of stored tokens, secret."""
    session_key: pulumi.Output[str]
    """What signs sessions, by which people see what they linked; secret."""


class App(Service):
    """The service's container."""

    def __init__(self, args: AppArgs, shared: Shared) -> None:
        super().__init__(NAME, PORT, args.settings.port, shared)
        self.internal = Endpoint(self.endpoint.host, INTERNAL_PORT)
        self.debugger = replace(self.endpoint, port=DEBUGGER_PORT, published=args.settings.debugger_port)
        self.run(
            Workload(
                name=NAME,
                base=PYTHON,
                command=server_command("app.run.app", args.settings.build),
                readiness=server_health(self.endpoint, "/ready"),
                liveness=server_health(self.endpoint, "/health"),
                memory=args.settings.memory,
                env={"ENVIRONMENT": shared.target.naming.name, **environment(args, self.endpoint)},
                ports=[self.debugger],
                proxy_port=PORT + 1,
                binds=source_binds(args.settings.build),
                files={
                    "database-password": args.database.password,
                    "redis-password": args.cache.password,
                    "secret-key": args.session_key,
                    "providers.json": args.providers,
                    "token-keys.json": args.token_keys,
                },
            )
        )

    def on_host(self, args: AppArgs, callback_port: int | None) -> pulumi.Output[str] | None:
        """Return what the app's servers need to run on the host, as in an editor: a secret JSON document.

        It has variables, and the content of the files that other variables are to name. `args` are for this purpose;
        None where something that the app needs, or the app itself, isn't published.
        """
        database, cache = args.database.on_host, args.cache.on_host
        if not database or not cache or not self.endpoint.published:
            return None
        # An editor has a debugger of its own.
        settings = args.settings.model_copy(update={"debugger_port": None})
        there = replace(args, settings=settings, database=database, cache=cache)
        variables = {
            "ENVIRONMENT": self.shared.target.naming.name,
            **environment(there, self.endpoint),
            "LISTEN_ADDRESS": self.endpoint.reach.bind_address,
            "APP_PORT": str(self.endpoint.published),
            **({"CALLBACK_PORT": str(callback_port)} if callback_port else {}),
            "INTERNAL_PORT": str(self.internal.port),
            "APP_URL": f"https://localhost:{self.internal.port}",  # for the callback server
        }
        content: Mapping[str, pulumi.Input[str]] = {**self.workload.files, "providers.json": args.providers}
        installed = f"{MOUNT}/"
        files = {name: content[path.removeprefix(installed)] for name, path in variables.items() if installed in path}
        plain = {name: value for name, value in variables.items() if name not in files}
        return pulumi.Output.secret(pulumi.Output.json_dumps({"variables": plain, "files": files}))


def server_command(module: str, build: Build) -> list[str]:
    """Return the command that runs a server of the service's own code: the app, or the callback server."""
    return ["python", "-m", module, *(["--reload"] if build == "development" else [])]


def server_health(own: Endpoint, path: str) -> str:
    """Return the health check of such a server: a verified request from inside."""
    return f"python -m app.run.probe https://localhost:{own.port}{path} {SCHEDULE}"


def source_binds(build: Build) -> dict[str, str]:
    """Return what mounts the source, where the image holds none."""
    return {SOURCE: str(ROOT / "app")} if build == "development" else {}


def environment(args: AppArgs, own: Endpoint) -> dict[str, str]:
    """Return the service's settings as variables; secrets only as the names of files."""
    return {
        "DEBUG": str(args.settings.debug).lower(),
        "TESTING": str(args.settings.testing).lower(),
        "DATABASE_HOST": args.database.endpoint.host,
        "DATABASE_PORT": str(args.database.endpoint.port),
        "DATABASE_NAME": args.database.database,
        "DATABASE_USER": args.database.user,
        "DATABASE_PASSWORD_FILE": f"{MOUNT}/database-password",
        **redis.client_environment(args.cache),
        "SECRET_KEY_FILE": f"{MOUNT}/secret-key",
        "OAUTH_REDIRECT_URI": args.settings.oauth_redirect_uri,
        "PUBLIC_URL": own.for_browsers,
        "PROVIDERS_FILE": f"{MOUNT}/providers.json",
        "TOKEN_KEYS_FILE": f"{MOUNT}/token-keys.json",
        **({"DEBUGGER_PORT": str(DEBUGGER_PORT)} if args.settings.debugger_port else {}),
        **TLS_VARIABLES,
    }
