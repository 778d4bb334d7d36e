from __future__ import annotations

from infra.config.sections import PostgresSettings
from infra.services import postgres

DURABLE = PostgresSettings(database="dashtam", user="dashtam_user")
SPEED = PostgresSettings(database="dashtam_test", user="dashtam_test_user", storage="tmpfs", tuning="speed")
SPEED_TUNING = (
    "synchronous_commit=off fsync=off full_page_writes=off wal_level=minimal max_wal_senders=0 random_page_cost=1.0"
    " shared_buffers=256MB effective_cache_size=512MB maintenance_work_mem=128MB wal_buffers=16MB max_connections=100"
)


def parameters(command: list[str]) -> dict[str, str]:
    assert command[0] == "postgres"
    assert set(command[1::2]) == {"-c"}
    pairs = [word.split("=", 1) for word in command[2::2]]
    assert len({name for name, _ in pairs}) == len(pairs)
    return dict(pairs)


def test_every_server_speaks_tls_and_scram_only() -> None:
    for settings in (DURABLE, SPEED):
        given = parameters(postgres.command(settings))
        assert given["ssl"] == "on"
        assert given["ssl_cert_file"] == "/run/secrets/tls.crt"
        assert given["ssl_key_file"] == "/run/secrets/tls.key"
        assert given["ssl_min_protocol_version"] == "TLSv1.2"
        assert given["hba_file"] == "/run/secrets/pg_hba.conf"
        assert given["password_encryption"] == "scram-sha-256"


def test_speed_tuning_is_the_promised_one() -> None:
    tuning = dict(pair.split("=") for pair in SPEED_TUNING.split())
    assert parameters(postgres.command(SPEED)) == {**postgres.SECURITY, **tuning}


def test_durable_is_the_servers_own_defaults() -> None:
    assert parameters(postgres.command(DURABLE)) == postgres.SECURITY


def test_nobody_gets_in_over_the_network_without_tls() -> None:
    rules = [line.split() for line in postgres.HBA.splitlines() if not line.startswith("#")]
    assert rules == [
        ["local", "all", "all", "scram-sha-256"],
        ["hostssl", "all", "all", "all", "scram-sha-256"],
    ]


def test_the_environment_holds_names_and_no_password() -> None:
    environment = postgres.environment(SPEED)
    assert environment["POSTGRES_USER"] == "dashtam_test_user"
    assert environment["POSTGRES_DB"] == "dashtam_test"
    assert environment["POSTGRES_PASSWORD_FILE"] == "/run/secrets/password"
    assert "POSTGRES_PASSWORD" not in environment
    assert "--auth-host=scram-sha-256" in environment["POSTGRES_INITDB_ARGS"]


def test_initialisation_waits_for_the_disk_where_data_must_last() -> None:
    assert "--no-sync" not in postgres.environment(DURABLE)["POSTGRES_INITDB_ARGS"]
    assert "--no-sync" in postgres.environment(SPEED)["POSTGRES_INITDB_ARGS"]


def test_readiness_is_asked_over_tcp() -> None:
    assert "pg_isready -q -h 127.0.0.1 -U dashtam_user -d dashtam" in postgres.health(DURABLE)


def test_clients_in_the_container_verify_the_server() -> None:
    head, *lines = postgres.service_file(DURABLE, "secret").splitlines()
    assert head == "[dashtam]"
    assert dict(line.split("=") for line in lines) == {
        "host": "localhost",
        "port": "5432",
        "dbname": "dashtam",
        "user": "dashtam_user",
        "password": "secret",
        "sslmode": "verify-full",
        "sslrootcert": "/run/secrets/ca.crt",
    }
