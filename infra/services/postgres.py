"""PostgreSQL: TLS and scram-sha-256 for every connection over the network, tuned for keeping data or for speed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

import pulumi

from infra import credentials, storage
from infra.catalogue import POSTGRES
from infra.certificates import Certificates
from infra.config.sections import PostgresSettings
from infra.config.values import megabytes
from infra.images import Image
from infra.naming import Naming
from infra.services import service as container
from infra.services.files import MOUNT, FilesArgs, InstalledFiles

NAME = "postgres"
PORT = 5432
DATA = POSTGRES.data

HBA = """\
# type   database  user  address  method
local    all       all            scram-sha-256
hostssl  all       all   all      scram-sha-256
"""

SERVICE_FILE = "pg_service.conf"
SERVICE = "dashtam"
"""How clients in the container log in without being told anything: `psql service=dashtam`, or PGSERVICE."""

SECURITY = {
    "ssl": "on",
    "ssl_cert_file": f"{MOUNT}/tls.crt",
    "ssl_key_file": f"{MOUNT}/tls.key",
    "ssl_min_protocol_version": "TLSv1.2",
    "hba_file": f"{MOUNT}/pg_hba.conf",
    "password_encryption": "scram-sha-256",
}

TUNING = {
    "durable": {},
    "speed": {
        "synchronous_commit": "off",
        "fsync": "off",
        "full_page_writes": "off",
        "wal_level": "minimal",
        "max_wal_senders": "0",
        "random_page_cost": "1.0",
        "shared_buffers": "256MB",
        "effective_cache_size": "512MB",
        "maintenance_work_mem": "128MB",
        "wal_buffers": "16MB",
        "max_connections": "100",
    },
}


@dataclass(frozen=True)
class PostgresArgs:
    """What the database needs.

    Args:
        settings: Its part of the config.
        image: Its image.
        certificates: The stack's CA and certificates.
        keys: The keys without which its rows can't be read or seen; they must outlast it.
    """

    settings: PostgresSettings
    image: Image
    certificates: Certificates
    keys: Sequence[pulumi.Resource]


class Postgres(pulumi.ComponentResource):
    """The environment's database.

    Args:
        args: What it needs.
        shared: What is the same for all containers.
        opts: Resource options.

    Attributes:
        password: The password of the database's owner, secret.
        volume: The data volume's name; None where the data is forgotten.
        container: The container, healthy.
    """

    def __init__(
        self, args: PostgresArgs, shared: container.Shared, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("dashtam:index:Postgres", NAME, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        password = credentials.password(NAME, opts=child)
        self.password = password.result
        data = _storage(args.settings, shared.naming, [password, *args.keys], child)
        self.volume = data.volume
        files = InstalledFiles(self._files(args, shared), child)
        service = container.ServiceArgs(
            image=args.image.id,
            user=POSTGRES.user,
            command=command(args.settings),
            port=PORT,
            host_port=args.settings.port,
            health=_health(args.settings),
            memory=args.settings.memory,
            files=files,
            env=_environment(args.settings),
            mounts=data.mounts,
            tmpfs={**data.tmpfs, "/var/run/postgresql": "rw,noexec,nosuid,nodev,size=1m,uid=70,gid=70,mode=0775"},
        )
        self.container = container.service(NAME, service, shared, parent=self)
        self.register_outputs({"volume": self.volume})

    def _files(self, args: PostgresArgs, shared: container.Shared) -> FilesArgs:
        certificate = args.certificates.services[NAME]
        files: dict[str, pulumi.Input[str]] = {
            "ca.crt": args.certificates.ca,
            "tls.crt": certificate.certificate,
            "tls.key": certificate.key,
            "password": self.password,
            "pg_hba.conf": HBA,
            SERVICE_FILE: self.password.apply(lambda password: service_file(args.settings, password)),
        }
        return FilesArgs(shared.naming, NAME, shared.installer, POSTGRES.user, files)

    def dsn(self, host: str, port: int, settings: PostgresSettings) -> pulumi.Output[str]:
        """Return a URL for clients; the CA to verify with is given apart from it.

        Args:
            host: The host as the client sees it.
            port: The port as the client sees it.
            settings: The database's part of the config.

        Returns:
            A libpq connection URI (PostgreSQL manual, 32.1.1.2), secret.
        """
        return self.password.apply(
            lambda password: (
                f"postgresql://{settings.user}:{quote(password, safe='')}@{host}:{port}/{settings.database}"
                "?sslmode=verify-full"
            )
        )


def service_file(settings: PostgresSettings, password: str) -> str:
    """Return libpq's connection service file (PostgreSQL manual, 32.17), for clients in the container.

    Args:
        settings: The database's part of the config.
        password: The password of the database's owner.

    Returns:
        The file: over TLS, verified.
    """
    return (
        f"[{SERVICE}]\nhost=localhost\nport={PORT}\ndbname={settings.database}\nuser={settings.user}\n"
        f"password={password}\nsslmode=verify-full\nsslrootcert={MOUNT}/ca.crt\n"
    )


def command(settings: PostgresSettings) -> list[str]:
    """Return the server's command line.

    Args:
        settings: The database's part of the config.

    Returns:
        `postgres` with a `-c` for each parameter.
    """
    parameters = {**SECURITY, **TUNING[settings.tuning]}
    return ["postgres", *(word for name, value in parameters.items() for word in ("-c", f"{name}={value}"))]


def _storage(
    settings: PostgresSettings, naming: Naming, guards: Sequence[pulumi.Resource], opts: pulumi.ResourceOptions
) -> storage.DataStorage:
    if settings.storage == "volume":
        return storage.durable(naming, NAME, DATA, guards=guards, opts=opts)
    return storage.forgotten(DATA, POSTGRES.user, megabytes(settings.tmpfs_size))


def _environment(settings: PostgresSettings) -> dict[str, str]:
    initdb = "--auth-local=scram-sha-256 --auth-host=scram-sha-256 --locale=C.UTF-8"
    return {
        "POSTGRES_USER": settings.user,
        "POSTGRES_DB": settings.database,
        "POSTGRES_PASSWORD_FILE": f"{MOUNT}/password",
        "POSTGRES_INITDB_ARGS": initdb if settings.tuning == "durable" else f"{initdb} --no-sync",
        "PGDATA": DATA,
        "PGSERVICEFILE": f"{MOUNT}/{SERVICE_FILE}",
    }


def _health(settings: PostgresSettings) -> str:
    # Over TCP: the socket already answers while the image still initialises.
    return f"pg_isready -q -h 127.0.0.1 -U {settings.user} -d {settings.database}"
