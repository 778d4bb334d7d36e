"""The OAuth callback server: where the provider sends the browser back to. It holds no credentials."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi

from infra.catalogue import PYTHON
from infra.config.sections import CallbackSettings
from infra.endpoints import Endpoint
from infra.services import python
from infra.services.service import TLS_VARIABLES, Service, Shared
from infra.targets.workload import Workload

NAME = "callback"
PORT = 8182


@dataclass(frozen=True)
class CallbackArgs:
    """What the callback server needs."""

    settings: CallbackSettings
    build: python.Build
    debug: bool
    app: Endpoint
    app_internal: Endpoint
    """Where it delivers the code."""


class Callback(Service):
    """The callback server's container."""

    def __init__(self, args: CallbackArgs, shared: Shared, parent: pulumi.Resource) -> None:
        super().__init__(NAME, PORT, args.settings.port, shared, parent)
        self.run(
            Workload(
                name=NAME,
                base=PYTHON,
                command=python.command("app.run.callback", args.build),
                health=python.health(self.endpoint, "/health"),
                memory=args.settings.memory,
                env={
                    "ENVIRONMENT": shared.naming.name,
                    "DEBUG": str(args.debug).lower(),
                    "APP_URL": args.app_internal.in_network,
                    "PUBLIC_URL": args.app.for_browsers,
                    **TLS_VARIABLES,
                },
                binds=python.source_binds(args.build),
            )
        )
