"""PostgreSQL: TLS and scram-sha-256 for every connection over the network, tuned for keeping data or for speed."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi

from infra import credentials
from infra.catalogue import POSTGRES
from infra.certificates import CIPHERS
from infra.config.sections import PostgresSettings
from infra.endpoints import Login
from infra.services.health import repeated
from infra.services.service import Service, Shared
from infra.targets.workload import MOUNT, Memory, Workload

PORT = 5432

HBA = """\
# type   database  user  address  method
local    all       all            scram-sha-256
hostssl  all       all   all      scram-sha-256
"""

SERVICE_FILE = "pg_service.conf"
SERVICE = "dashtam"
"""How clients in the container log in without further options: `psql service=dashtam`, or PGSERVICE."""

SOCKETS = Memory("/var/run/postgresql", 1, "0775", POSTGRES.user)

SECURITY = {
    "ssl": "on",
    "ssl_cert_file": f"{MOUNT}/tls.crt",
    "ssl_key_file": f"{MOUNT}/tls.key",
    "ssl_min_protocol_version": "TLSv1.2",
    "ssl_ciphers": CIPHERS,
    "hba_file": f"{MOUNT}/pg_hba.conf",
    "password_encryption": "scram-sha-256",
}


class Postgres(Service):
    """The environment's database; its rows can't be read or seen without some keys, which must outlast it."""

    def __init__(self, settings: PostgresSettings, keys: Sequence[pulumi.Resource], shared: Shared) -> None:
        super().__init__(POSTGRES.name, PORT, settings.port, shared)
        protected = pulumi.ResourceOptions.merge(self.child, pulumi.ResourceOptions(protect=settings.is_lasting))
        password = credentials.password(POSTGRES.name, opts=protected)
        self.login = Login(
            scheme="postgresql",  # a connection URI of libpq (PostgreSQL manual, 32.1.1.2)
            endpoint=self.endpoint,
            user=settings.user,
            password=password.result,
            database=settings.database,
            query="?sslmode=verify-full",
        )
        self.run(
            Workload(
                name=POSTGRES.name,
                base=POSTGRES,
                command=command(settings),
                readiness=health(settings),
                memory=settings.memory,
                shared_memory=settings.shared_memory,
                env=environment(settings),
                files={
                    "password": password.result,
                    "pg_hba.conf": HBA,
                    SERVICE_FILE: password.result.apply(lambda secret: service_file(settings, secret)),
                },
                data=shared.target.data(POSTGRES, settings, needs=[password, *keys], opts=self.child),
                memories=[SOCKETS],
            )
        )


def service_file(settings: PostgresSettings, password: str) -> str:
    """Return libpq's connection service file (PostgreSQL manual, 32.17), for clients in the container."""
    return (
        f"[{SERVICE}]\nhost=localhost\nport={PORT}\ndbname={settings.database}\nuser={settings.user}\n"
        f"password={password}\nsslmode=verify-full\nsslrootcert={MOUNT}/ca.crt\n"
    )


def command(settings: PostgresSettings) -> list[str]:
    """Return the server's command line: `postgres` with a `-c` for each parameter."""
    parameters = settings.server_parameters | SECURITY
    return ["postgres", *(word for name, value in parameters.items() for word in ("-c", f"{name}={value}"))]


def environment(settings: PostgresSettings) -> dict[str, str]:
    """Return the environment variables of the image's entry point, which makes the database."""
    initdb = "--auth-local=scram-sha-256 --auth-host=scram-sha-256 --locale=C.UTF-8"
    return {
        "POSTGRES_USER": settings.user,
        "POSTGRES_DB": settings.database,
        "POSTGRES_PASSWORD_FILE": f"{MOUNT}/password",
        "POSTGRES_INITDB_ARGS": initdb if settings.tuning == "durable" else f"{initdb} --no-sync",
        "PGDATA": POSTGRES.data,
        "PGSERVICEFILE": f"{MOUNT}/{SERVICE_FILE}",
    }


def health(settings: PostgresSettings) -> str:
    """Return the health check: over TCP, since the socket already answers while the image still initialises."""
    return repeated(f'pg_isready -q -t "$limit" -h 127.0.0.1 -U {settings.user} -d {settings.database}')
