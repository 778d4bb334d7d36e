# ruff: noqa: ANN401 - options and fixtures pass through to the docker SDK
"""Postgres as the environments run it: made from nothing, over TLS, killed at bad moments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from infra.catalogue import POSTGRES

if TYPE_CHECKING:
    from docker.models.containers import Container

DATA = "/var/lib/postgresql/data"
PASSWORD = "a password with 'quotes', $dollars and spaces"
ENVIRONMENT = {
    "POSTGRES_USER": "dashtam_user",
    "POSTGRES_DB": "dashtam",
    "POSTGRES_PASSWORD_FILE": "/run/secrets/password",
    "POSTGRES_INITDB_ARGS": "--auth-local=scram-sha-256 --auth-host=scram-sha-256",
}
TLS = {
    "ssl": "on",
    "ssl_cert_file": "/run/secrets/tls.crt",
    "ssl_key_file": "/run/secrets/tls.key",
    "hba_file": "/run/secrets/hba.conf",
}
HBA = "local all all scram-sha-256\nhostssl all all all scram-sha-256\n"


@pytest.fixture(scope="module")
def secrets_volume(files: Any, certificate: tuple[str, str]) -> str:
    crt, key = certificate
    content = {"password": PASSWORD + "\n", "tls.crt": crt, "tls.key": key, "hba.conf": HBA}
    name: str = files(POSTGRES.user, content).name
    return name


@pytest.fixture(scope="module")
def postgres(run: Any, secrets_volume: str, volume: Any) -> Any:
    """Start Postgres, on one volume unless a test has its own."""
    data = volume().name

    def start(*arguments: str, **options: Any) -> Container:
        settings = [text for name, value in TLS.items() for text in ("-c", f"{name}={value}")]
        volumes = [f"{secrets_volume}:/run/secrets:ro", f"{data}:{DATA}"]
        container: Container = run(
            POSTGRES, ["postgres", *settings, *arguments], **{"environment": ENVIRONMENT, "volumes": volumes, **options}
        )
        return container

    return start


def psql(container: Container, query: str, **environment: str) -> tuple[int, str]:
    variables = {
        "PGPASSWORD": PASSWORD, "PGUSER": "dashtam_user", "PGDATABASE": "dashtam", "PGHOST": "localhost",
        "PGSSLMODE": "verify-full", "PGSSLROOTCERT": "/run/secrets/tls.crt", **environment,
    }  # fmt: skip
    result: Any = container.exec_run(["psql", "-XAtwc", query], environment=variables)
    return int(result.exit_code), str(result.output.decode().strip())


def ready(container: Container) -> bool:
    return container.exec_run(["pg_isready", "-q", "-h", "127.0.0.1"]).exit_code == 0


@pytest.fixture(scope="module")
def server(postgres: Any, until: Any) -> Container:
    """One that runs, for tests that leave it as it is: it takes seconds to make a database."""
    container: Container = postgres()
    until(lambda: ready(container), container)
    return container


def test_clients_come_in_over_verified_tls_with_scram_and_in_no_other_way(server: Container) -> None:
    query = "select version from pg_stat_ssl where pid = pg_backend_pid()"
    assert psql(server, query) == (0, "TLSv1.3")
    assert (
        psql(server, "select rolpassword like 'SCRAM-SHA-256$%' from pg_authid where rolname = current_user")[1] == "t"
    )
    assert "password authentication failed" in psql(server, query, PGPASSWORD="wrong")[1]
    assert "no pg_hba.conf entry" in psql(server, query, PGSSLMODE="disable")[1]
    assert "no password supplied" in psql(server, query, PGPASSWORD="", PGHOST="/var/run/postgresql")[1]


def test_databases_sort_and_encode_the_same_everywhere(server: Container) -> None:
    assert psql(server, "show server_encoding")[1] == "UTF8"
    assert psql(server, "select string_agg(x, '' order by x) from unnest('{a,B,ä}'::text[]) x")[1] == "Baä"


def test_the_password_is_in_no_argument_variable_or_log(server: Container) -> None:
    script = "cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ"
    status, shown = server.exec_run(["sh", "-c", script])
    assert status == 0
    assert b"POSTGRES_PASSWORD_FILE=" in shown
    assert PASSWORD.encode() not in shown
    assert PASSWORD.encode() not in server.logs()


def test_arguments_reach_the_server_and_a_tmpfs_will_do(postgres: Any, secrets_volume: str, until: Any) -> None:
    tmpfs = {"/tmp": "", "/var/run/postgresql": "uid=70,gid=70", DATA: "uid=70,gid=70,mode=0700"}  # noqa: S108
    speed = ["-c", "fsync=off", "-c", "wal_level=minimal", "-c", "max_wal_senders=0"]
    container = postgres(*speed, tmpfs=tmpfs, volumes=[f"{secrets_volume}:/run/secrets:ro"])
    until(lambda: ready(container), container)
    assert psql(container, "select current_setting('fsync') || current_setting('wal_level')") == (0, "offminimal")


def test_init_scripts_run_once_as_the_owner_and_data_survives_a_stop_which_is_clean_and_quick(
    postgres: Any, files: Any, secrets_volume: str, volume: Any, until: Any
) -> None:
    scripts = files(
        POSTGRES.user,
        {
            "1.sql": "create table log as select current_user || '@' || current_database() as line",
            "2.sh": 'psql --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" -c "insert into log select \'shell\'"\n',
        },
    )
    data = volume().name
    mounts = [f"{secrets_volume}:/run/secrets:ro", f"{data}:{DATA}", f"{scripts.name}:/docker-entrypoint-initdb.d:ro"]
    # The official image lets its scripts in by the socket's own rule.
    trusting = {**ENVIRONMENT, "POSTGRES_INITDB_ARGS": "--auth-local=trust --auth-host=scram-sha-256"}
    for _ in range(2):
        container = postgres(volumes=mounts, environment=trusting)
        until(lambda container=container: ready(container), container)
        assert psql(container, "select string_agg(line, ',') from log") == (0, "dashtam_user@dashtam,shell")
        container.stop(timeout=30)
        assert container.wait()["StatusCode"] == 0
        assert b"database system is shut down" in container.logs()


def test_without_a_password_nothing_is_made(run: Any) -> None:
    tmpfs = {"/tmp": "", DATA: "uid=70,gid=70,mode=0700"}  # noqa: S108 - in the container
    container = run(POSTGRES, tmpfs=tmpfs)
    assert container.wait(timeout=60)["StatusCode"] != 0
    assert b"POSTGRES_PASSWORD" in container.logs()
