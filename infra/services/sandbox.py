"""The sandbox provider: an authorization server to develop against, at which anyone may log in."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi

from infra import credentials, origins
from infra.catalogue import NODE
from infra.certificates import Certificates
from infra.config.providers import SANDBOX
from infra.config.settings import StackSettings
from infra.images import Image
from infra.services import redis
from infra.services import service as container
from infra.services.app import tls_environment, tls_files
from infra.services.files import MOUNT, FilesArgs, InstalledFiles

NAME = SANDBOX
PORT = 8282
CLIENT_ID = "dashtam"


@dataclass(frozen=True)
class SandboxArgs:
    """What the sandbox needs.

    Args:
        settings: The stack's config.
        image: Its image.
        certificates: The stack's CA and certificates.
        client_secret: The service's secret there.
        redis_password: The sandbox's own in Redis, secret.
    """

    settings: StackSettings
    image: Image
    certificates: Certificates
    client_secret: pulumi.Output[str]
    redis_password: pulumi.Output[str]


class Sandbox(pulumi.ComponentResource):
    """The sandbox's container. What people decide there is in Redis, for which it waits itself, as the service does.

    Args:
        args: What it needs.
        shared: What is the same for all containers.
        opts: Resource options.

    Attributes:
        container: The container, healthy.
    """

    def __init__(self, args: SandboxArgs, shared: container.Shared, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("dashtam:index:Sandbox", NAME, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        service = container.ServiceArgs(
            image=args.image.id,
            user=NODE.user,
            command=["node", "src/server.mjs"],
            port=PORT,
            host_port=args.settings.sandbox.port,
            health=f"node src/probe.mjs https://localhost:{PORT}/health",
            memory=args.settings.sandbox.memory,
            files=InstalledFiles(_files(args, shared, child), child),
            env=environment(args.settings),
        )
        self.container = container.service(NAME, service, shared, parent=self)
        self.register_outputs({})


def issuer(settings: StackSettings) -> str:
    """Return the sandbox's issuer identifier.

    Args:
        settings: The stack's config.

    Returns:
        Its origin for browsers.
    """
    return origins.for_browsers(NAME, PORT, settings.sandbox.port)


def environment(settings: StackSettings) -> dict[str, str]:
    """Return the sandbox's settings.

    Args:
        settings: The stack's config.

    Returns:
        Environment variables; secrets only as the names of files.
    """
    return {
        "SANDBOX_ALLOWED": str(settings.app.debug or settings.app.testing).lower(),
        "PORT": str(PORT),
        "ISSUER": issuer(settings),
        "CLIENT_ID": CLIENT_ID,
        "CLIENT_SECRET_FILE": f"{MOUNT}/client-secret",
        "REDIRECT_URI": settings.app.oauth_redirect_uri,
        "COOKIE_KEY_FILE": f"{MOUNT}/cookie-key",
        "SIGNING_KEY_FILE": f"{MOUNT}/signing-key",
        "REDIS_HOST": redis.NAME,
        "REDIS_PORT": str(redis.PORT),
        "REDIS_DB": str(settings.redis.database),
        "REDIS_USER": redis.SANDBOX_USER,
        "REDIS_PASSWORD_FILE": f"{MOUNT}/redis-password",
        **tls_environment(),
    }


def _files(args: SandboxArgs, shared: container.Shared, opts: pulumi.ResourceOptions) -> FilesArgs:
    files = {
        **tls_files(args.certificates, NAME),
        "client-secret": args.client_secret,
        "redis-password": args.redis_password,
        "cookie-key": credentials.key(f"{NAME}-cookie", opts=opts),
        "signing-key": credentials.signing_key(NAME, opts=opts),
    }
    return FilesArgs(shared.naming, NAME, shared.installer, NODE.user, files)
