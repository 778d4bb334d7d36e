"""The service: FastAPI over HTTPS, with its database and its cache."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_docker as docker

from infra import container, origins, postgres, redis
from infra.catalogue import PYTHON, ROOT
from infra.certificates import Certificates
from infra.files import MOUNT, FilesArgs, InstalledFiles
from infra.images import Image
from infra.naming import Naming
from infra.settings import StackSettings

NAME = "app"
TYPE = "dashtam:index:App"
PORT = 8000
INTERNAL_PORT = 9000
"""Never published: metrics, and what the callback server asks."""

SOURCE = "/srv/app"


@dataclass(frozen=True)
class AppArgs:
    """What the service needs.

    Args:
        settings: The stack's config: the service is told of its database and cache.
        image: Its image.
        certificates: The stack's CA and certificates.
        database_password: Of the database's owner, secret.
        redis_password: Of the cache's user, secret.
        providers: The file that tells of the providers whose accounts it links, secret.
        token_keys: The file of the keys of stored tokens, secret.
        session_key: What signs sessions, by which people see what they linked; secret.
    """

    settings: StackSettings
    image: Image
    certificates: Certificates
    database_password: pulumi.Output[str]
    redis_password: pulumi.Output[str]
    providers: pulumi.Output[str]
    token_keys: pulumi.Output[str]
    session_key: pulumi.Output[str]


class App(pulumi.ComponentResource):
    """The service's container.

    It starts beside its database and waits for it itself, which makes `up` as long as its slowest part, not as the sum.

    Args:
        args: What it needs.
        shared: What is the same for all containers.
        opts: Resource options.

    Attributes:
        container: The container, healthy.
    """

    def __init__(self, args: AppArgs, shared: container.Shared, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(TYPE, NAME, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        service = container.ServiceArgs(
            image=args.image.id,
            user=PYTHON.user,
            command=python_command("app.run.app", args.settings),
            port=PORT,
            host_port=args.settings.app.port,
            health=probe(f"https://localhost:{PORT}/ready"),
            memory=args.settings.app.memory,
            files=InstalledFiles(_files(args, shared), child),
            env=environment(args.settings, shared.naming),
            mounts=source_mounts(args.settings),
        )
        self.container = container.service(NAME, service, shared, parent=self)
        self.register_outputs({})


def python_command(module: str, settings: StackSettings) -> list[str]:
    """Return the command of one of the service's servers.

    Args:
        module: The module to run.
        settings: The stack's config.

    Returns:
        The command; it reloads where the source is mounted.
    """
    reload = ["--reload"] if settings.app.build == "development" else []
    return ["python", "-m", module, *reload]


def probe(url: str) -> str:
    """Return the health check of one of the service's servers: a verified request from inside.

    Args:
        url: What must answer with success.

    Returns:
        A shell command.
    """
    return f"python -m app.run.probe {url}"


def source_mounts(settings: StackSettings) -> list[docker.ContainerMountArgs]:
    """Return the mount of the source, where the image holds none.

    Args:
        settings: The stack's config.

    Returns:
        One read-only mount, or none.
    """
    if settings.app.build != "development":
        return []
    return [docker.ContainerMountArgs(type="bind", source=str(ROOT / "app"), target=SOURCE, read_only=True)]


def tls_environment() -> dict[str, str]:
    """Return where a server of the service finds its certificate and the CA to verify others with."""
    return {
        "TLS_CA_FILE": f"{MOUNT}/ca.crt",
        "TLS_CERTIFICATE_FILE": f"{MOUNT}/tls.crt",
        "TLS_KEY_FILE": f"{MOUNT}/tls.key",
    }


def tls_files(certificates: Certificates, service: str) -> dict[str, pulumi.Input[str]]:
    """Return the files that `tls_environment` names."""
    certificate = certificates.services[service]
    return {"ca.crt": certificates.ca, "tls.crt": certificate.certificate, "tls.key": certificate.key}


def environment(settings: StackSettings, naming: Naming) -> dict[str, str]:
    """Return the service's settings.

    Args:
        settings: The stack's config.
        naming: The environment's names.

    Returns:
        Environment variables; secrets only as the names of files.
    """
    return {
        "ENVIRONMENT": naming.name,
        "DEBUG": str(settings.app.debug).lower(),
        "TESTING": str(settings.app.testing).lower(),
        "DATABASE_HOST": postgres.NAME,
        "DATABASE_PORT": str(postgres.PORT),
        "DATABASE_NAME": settings.postgres.database,
        "DATABASE_USER": settings.postgres.user,
        "DATABASE_PASSWORD_FILE": f"{MOUNT}/database-password",
        "REDIS_HOST": redis.NAME,
        "REDIS_PORT": str(redis.PORT),
        "REDIS_DB": str(settings.redis.database),
        "REDIS_USER": redis.USER,
        "REDIS_PASSWORD_FILE": f"{MOUNT}/redis-password",
        "SECRET_KEY_FILE": f"{MOUNT}/secret-key",
        "OAUTH_REDIRECT_URI": settings.app.oauth_redirect_uri,
        "PUBLIC_URL": origins.for_browsers(NAME, PORT, settings.app.port),
        "PROVIDERS_FILE": f"{MOUNT}/providers.json",
        "TOKEN_KEYS_FILE": f"{MOUNT}/token-keys.json",
        **tls_environment(),
    }


def _files(args: AppArgs, shared: container.Shared) -> FilesArgs:
    files = {
        **tls_files(args.certificates, NAME),
        "database-password": args.database_password,
        "redis-password": args.redis_password,
        "secret-key": args.session_key,
        "providers.json": args.providers,
        "token-keys.json": args.token_keys,
    }
    return FilesArgs(shared.naming, NAME, shared.installer, PYTHON.user, files)
