"""The sandbox provider: an authorization server to develop against, at which anyone may log in."""

from __future__ import annotations

from typing import Any

import pulumi

from infra import credentials
from infra.catalogue import NODE
from infra.config.sections import AppSettings, SandboxSettings
from infra.endpoints import Endpoint, Login
from infra.naming import SANDBOX
from infra.services import providers, redis
from infra.services.health import SCHEDULE
from infra.services.providers import Credentials
from infra.services.service import TLS_VARIABLES, Service, Shared
from infra.targets.workload import MOUNT, Workload

PORT = 8282
CLIENT_ID = "dashtam"


class Sandbox(Service):
    """The sandbox's container. It keeps in Redis what people decide there."""

    provider: pulumi.Output[dict[str, Any]]
    """It as a provider of the service, secret."""

    def __init__(self, settings: SandboxSettings, app: AppSettings, cache: Login, shared: Shared) -> None:
        super().__init__(SANDBOX, PORT, settings.port, shared)
        client_secret = credentials.password(f"{SANDBOX}-client", opts=shared.target.child).result
        self.provider = client_secret.apply(
            lambda secret: providers.sandbox(self.endpoint, Credentials(CLIENT_ID, secret))
        )
        self.run(
            Workload(
                name=SANDBOX,
                base=NODE,
                command=["node", "src/server.mjs"],
                readiness=f"node src/probe.mjs https://localhost:{PORT}/health {SCHEDULE}",
                memory=settings.memory,
                env=environment(app, cache, self.endpoint),
                files={
                    "client-secret": client_secret,
                    "redis-password": cache.password,
                    "cookie-key": credentials.base64(credentials.key(f"{SANDBOX}-cookie", opts=self.child)),
                    "signing-key": credentials.signing_key(SANDBOX, opts=self.child),
                },
            )
        )


def environment(app: AppSettings, cache: Login, own: Endpoint) -> dict[str, str]:
    """Return the sandbox's settings as variables; secrets only as the names of files."""
    return {
        "SANDBOX_ALLOWED": str(app.debug or app.testing).lower(),  # it refuses to start without
        "PORT": str(own.port),
        "ISSUER": own.for_browsers,
        "CLIENT_ID": CLIENT_ID,
        "CLIENT_SECRET_FILE": f"{MOUNT}/client-secret",
        "REDIRECT_URI": app.oauth_redirect_uri,
        "COOKIE_KEY_FILE": f"{MOUNT}/cookie-key",
        "SIGNING_KEY_FILE": f"{MOUNT}/signing-key",
        **redis.client_environment(cache),
        **TLS_VARIABLES,
    }
