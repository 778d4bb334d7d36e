"""The OAuth callback server: where the provider sends the browser back to."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi

from infra import app, container, origins
from infra.catalogue import PYTHON
from infra.certificates import Certificates
from infra.files import FilesArgs, InstalledFiles
from infra.images import Image
from infra.settings import StackSettings

NAME = "callback"
PORT = 8182


@dataclass(frozen=True)
class CallbackArgs:
    """What the callback server needs.

    Args:
        settings: The stack's config.
        image: Its image.
        certificates: The stack's CA and certificates.
    """

    settings: StackSettings
    image: Image
    certificates: Certificates


class Callback(pulumi.ComponentResource):
    """The callback server's container. It holds no credentials of the database or the cache.

    Args:
        args: What it needs.
        shared: What is the same for all containers.
        opts: Resource options.

    Attributes:
        container: The container, healthy.
    """

    def __init__(
        self, args: CallbackArgs, shared: container.Shared, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("dashtam:index:Callback", NAME, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        files = FilesArgs(
            naming=shared.naming,
            component=NAME,
            installer=shared.installer,
            user=PYTHON.user,
            files=app.tls_files(args.certificates, NAME),
        )
        service = container.ServiceArgs(
            image=args.image.id,
            user=PYTHON.user,
            command=app.python_command("app.run.callback", args.settings),
            port=PORT,
            host_port=args.settings.callback.port,
            health=app.probe(f"https://localhost:{PORT}/health"),
            memory=args.settings.callback.memory,
            files=InstalledFiles(files, child),
            env=environment(args.settings, shared.naming.name),
            mounts=app.source_mounts(args.settings),
        )
        self.container = container.service(NAME, service, shared, parent=self)
        self.register_outputs({})


def environment(settings: StackSettings, name: str) -> dict[str, str]:
    """Return the callback server's settings.

    Args:
        settings: The stack's config.
        name: The environment's name.

    Returns:
        Environment variables.
    """
    return {
        "ENVIRONMENT": name,
        "DEBUG": str(settings.app.debug).lower(),
        "APP_URL": f"https://{app.NAME}:{app.INTERNAL_PORT}",
        "PUBLIC_URL": origins.for_browsers(app.NAME, app.PORT, settings.app.port),
        **app.tls_environment(),
    }
