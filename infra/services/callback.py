"""The OAuth callback server: where the provider sends the browser back to. It holds no credentials."""

from __future__ import annotations

from infra.catalogue import PYTHON
from infra.config.sections import AppSettings, CallbackSettings
from infra.services.app import App, server_command, server_health, source_binds
from infra.services.service import TLS_VARIABLES, Service, Shared
from infra.targets.workload import Workload

NAME = "callback"
PORT = 8182


class Callback(Service):
    """The callback server's container. It runs like the app, and delivers codes there."""

    def __init__(self, settings: CallbackSettings, app_settings: AppSettings, app: App, shared: Shared) -> None:
        super().__init__(NAME, PORT, settings.port, shared)
        self.run(
            Workload(
                name=NAME,
                base=PYTHON,
                command=server_command("app.run.callback", app_settings.build),
                readiness=server_health(self.endpoint, "/health"),
                memory=settings.memory,
                env={
                    "ENVIRONMENT": shared.target.naming.name,
                    "DEBUG": str(app_settings.debug).lower(),
                    "APP_URL": app.internal.in_network,
                    "PUBLIC_URL": app.endpoint.for_browsers,
                    **TLS_VARIABLES,
                },
                proxy_port=PORT + 1,
                binds=source_binds(app_settings.build),
            )
        )
