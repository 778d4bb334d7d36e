"""The service: FastAPI over HTTPS, with its database and its cache."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pulumi

from infra.catalogue import PYTHON
from infra.config.sections import AppSettings
from infra.endpoints import Endpoint, Login
from infra.services import python, redis
from infra.services.service import TLS_VARIABLES, Service, Shared
from infra.targets.workload import MOUNT, Workload

NAME = "app"
PORT = 8000
INTERNAL_PORT = 9000
"""Never published: metrics, and what the callback server asks for."""
DEBUGGER_PORT = 5678
"""Where a debugger attaches, if the config publishes it."""


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
                command=python.command("app.run.app", args.settings.build),
                health=python.health(self.endpoint, "/ready"),
                alive=python.health(self.endpoint, "/health"),
                memory=args.settings.memory,
                env={"ENVIRONMENT": shared.target.naming.name, **environment(args, self.endpoint)},
                ports=[self.debugger],
                binds=python.source_binds(args.settings.build),
                files={
                    "database-password": args.database.password,
                    "redis-password": args.cache.password,
                    "secret-key": args.session_key,
                    "providers.json": args.providers,
                    "token-keys.json": args.token_keys,
                },
            )
        )


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
