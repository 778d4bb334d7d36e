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


@pytest.fixture
def secrets_volume(files: Any, certificate: tuple[str, str]) -> str:
    crt, key = certificate
    content = {"password": PASSWORD + "\n", "tls.crt": crt, "tls.key": key, "hba.conf": HBA}
    name: str = files(POSTGRES.user, content).name
    return name


@pytest.fixture
def postgres(run: Any, secrets_volume: str, volume: Any) -> Any:
    """Start Postgres on a volume of its own, over and over again if a test likes."""
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


def test_clients_come_in_over_verified_tls_with_scram_and_in_no_other_way(postgres: Any, until: Any) -> None:
    container = postgres()
    until(lambda: ready(container), container)
    query = "select version from pg_stat_ssl where pid = pg_backend_pid()"
    assert psql(container, query) == (0, "TLSv1.3")
    assert (
        psql(container, "select rolpassword like 'SCRAM-SHA-256$%' from pg_authid where rolname = current_user")[1]
        == "t"
    )
    assert "password authentication failed" in psql(container, query, PGPASSWORD="wrong")[1]
    assert "no pg_hba.conf entry" in psql(container, query, PGSSLMODE="disable")[1]
    assert "no password supplied" in psql(container, query, PGPASSWORD="", PGHOST="/var/run/postgresql")[1]


def test_databases_sort_and_encode_the_same_everywhere(postgres: Any, until: Any) -> None:
    container = postgres()
    until(lambda: ready(container), container)
    assert psql(container, "show server_encoding")[1] == "UTF8"
    assert psql(container, "select string_agg(x, '' order by x) from unnest('{a,B,ä}'::text[]) x")[1] == "Baä"


def test_the_password_is_in_no_argument_variable_or_log(postgres: Any, until: Any) -> None:
    container = postgres()
    until(lambda: ready(container), container)
    script = "cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ"
    status, shown = container.exec_run(["sh", "-c", script])
    assert status == 0
    assert b"POSTGRES_PASSWORD_FILE=" in shown
    assert PASSWORD.encode() not in shown
    assert PASSWORD.encode() not in container.logs()


def test_data_survives_a_stop_which_is_clean_and_quick(postgres: Any, until: Any) -> None:
    first = postgres()
    until(lambda: ready(first), first)
    assert psql(first, "create table kept as select 42 as answer")[0] == 0
    first.stop(timeout=30)
    assert first.wait()["StatusCode"] == 0
    assert b"database system is shut down" in first.logs()
    second = postgres()
    until(lambda: ready(second), second)
    assert psql(second, "select answer from kept") == (0, "42")


def test_arguments_reach_the_server_and_a_tmpfs_will_do(postgres: Any, secrets_volume: str, until: Any) -> None:
    tmpfs = {"/tmp": "", "/var/run/postgresql": "uid=70,gid=70", DATA: "uid=70,gid=70,mode=0700"}  # noqa: S108
    speed = ["-c", "fsync=off", "-c", "wal_level=minimal", "-c", "max_wal_senders=0"]
    container = postgres(*speed, tmpfs=tmpfs, volumes=[f"{secrets_volume}:/run/secrets:ro"])
    until(lambda: ready(container), container)
    assert psql(container, "select current_setting('fsync') || current_setting('wal_level')") == (0, "offminimal")


def test_init_scripts_run_once_in_order_as_the_owner(
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


def test_without_a_password_nothing_is_made(run: Any) -> None:
    tmpfs = {"/tmp": "", DATA: "uid=70,gid=70,mode=0700"}  # noqa: S108 - in the container
    container = run(POSTGRES, tmpfs=tmpfs)
    assert container.wait(timeout=60)["StatusCode"] != 0
    assert b"POSTGRES_PASSWORD" in container.logs()
