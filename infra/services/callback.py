"""The OAuth callback server: where the provider sends the browser back to. It holds no credentials."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi

from infra.config.sections import CallbackSettings
from infra.endpoints import Endpoint
from infra.images import Image
from infra.services.python import Build, PythonArgs, PythonService
from infra.services.service import Shared

NAME = "callback"
PORT = 8182


@dataclass(frozen=True)
class CallbackArgs:
    """What the callback server needs."""

    settings: CallbackSettings
    image: Image
    build: Build
    debug: bool
    app: Endpoint
    app_internal: Endpoint
    """Where it delivers the code."""


class Callback(PythonService):
    """The callback server's container."""

    def __init__(self, args: CallbackArgs, shared: Shared, parent: pulumi.Resource) -> None:
        super().__init__(NAME, PORT, args.settings.port, shared, parent)
        self.serve(
            PythonArgs(
                image=args.image,
                module="app.callback_server",
                build=args.build,
                health_path="/health",
                memory=args.settings.memory,
                env={
                    "DEBUG": str(args.debug).lower(),
                    "APP_URL": args.app_internal.in_network,
                    "PUBLIC_URL": args.app.for_browsers,
                },
            )
        )
