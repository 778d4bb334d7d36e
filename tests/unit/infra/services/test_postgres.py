from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from infra.config.sections import PostgresSettings, parameter_megabytes
from infra.services import postgres

if TYPE_CHECKING:
    from tests.unit.infra.conftest import Change, Load, Refused

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
        assert given["ssl_ciphers"] == "ECDHE+AESGCM:ECDHE+CHACHA20"
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
    assert 'pg_isready -q -t "$limit" -h 127.0.0.1 -U dashtam_user -d dashtam' in postgres.health(DURABLE)


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


def test_parameters_override_the_tuning_and_nothing_that_the_environment_depends_on(load: Load) -> None:
    wanted = {"max_connections": 200, "work_mem": "64MB", "jit": False, "auto_explain.log_min_duration": 0}
    settings = load({"postgres.parameters": wanted, "postgres.tuning": "speed", "postgres.preload": ["auto_explain"]})
    given = parameters(postgres.command(settings.postgres))
    assert given.items() >= postgres.SECURITY.items()
    assert given["max_connections"] == "200"
    assert given["work_mem"] == "64MB"
    assert given["jit"] == "off"
    assert given["auto_explain.log_min_duration"] == "0"
    assert given["shared_preload_libraries"] == "auto_explain"
    assert given["wal_buffers"] == "16MB"


@pytest.mark.parametrize(
    "name",
    [
        *("ssl", "ssl_min_protocol_version", "hba_file", "password_encryption", "data_directory", "config_file"),
        *("listen_addresses", "port", "unix_socket_directories", "shared_preload_libraries"),
    ],
)
def test_what_the_environment_depends_on_is_refused_with_the_reason(refused: Refused, name: str) -> None:
    (problem,) = refused({"postgres.parameters": {name: "x"}})
    assert f"{name} can't be set: " in problem


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"postgres.parameters": {"Fsync": "on"}}, "a parameter's name in lower case"),
        ({"postgres.parameters": {"work_mem": [1]}}, "it must be a line of text, a number, true or false"),
        ({"postgres.parameters": {"work_mem": "1\n2"}}, "it must be a line of text, a number, true or false"),
        *(
            ({"postgres.parameters": {"max_connections": wrong}}, "a whole number from 13, which the app needs, to 800")
            for wrong in (801, 12, 3, 1, 0, -20, "020", "0x20", "20.5", "\N{ARABIC-INDIC DIGIT TWO}0", "many")
        ),
        *(
            ({"postgres.parameters": {"shared_buffers": wrong}}, "shared_buffers is a size from 128kB on")
            for wrong in ("64mb", "1gb", "128 Mb", "1.GB", "0128MB", "half", "", 15, "127kB", "0")
        ),
        ({"postgres.parameters": {"shared_buffers": "1.5GB"}}, "set memory: 2112m or more"),
        ({"postgres.parameters": {"fsync": "of"}, "postgres.storage": "volume"}, "a crash would ruin the data"),
        ({"postgres.parameters": {"full_page_writes": False}, "postgres.storage": "volume"}, "would ruin the data"),
        ({"postgres.parameters": {"shared_buffers": "2GB"}}, "set memory: 2624m or more"),
        ({"postgres.shm_size": "2g"}, "shm_size 2g is more than memory 1g"),
        ({"postgres.preload": ["../evil"]}, "the name of a library"),
    ],
)
def test_parameters_that_cannot_work_are_refused(refused: Refused, change: Change, why: str) -> None:
    (problem,) = refused(change)
    assert why in problem


@pytest.mark.parametrize("number", [13, "13", 20, 100, 800])
def test_as_many_connections_as_the_app_and_the_server_take_are_accepted(load: Load, number: int | str) -> None:
    assert load({"postgres.parameters": {"max_connections": number}}).postgres.parameters["max_connections"] == str(
        number
    )


@pytest.mark.parametrize(
    ("text", "size"),
    [
        *(("128MB", 128), ("2 GB", 2048), ("16384", 128), ("64kB", 1 / 16), ("x", 0), ("64mb", 0)),
        *(("1.5GB", 1536), ("0.5 GB", 512), ("1TB", 1024**2), ("134217728B", 128)),
    ],
)
def test_sizes_are_read_as_the_server_reads_them(text: str, size: int) -> None:
    assert parameter_megabytes(text) == size


@pytest.mark.parametrize(
    ("change", "shared"),
    [
        ({"postgres.storage": "volume", "postgres.memory": "1g"}, 1024 - 192),
        ({"postgres.memory": "2g", "postgres.tmpfs_size": "1g", "postgres.tuning": "speed"}, 2048 - 1024 - 384),
        ({"postgres.memory": "2g", "postgres.shm_size": "256m"}, 256),
        ({"postgres.storage": "volume", "postgres.memory": "192m"}, 64),
    ],
)
def test_parallel_queries_may_use_what_the_memory_limit_leaves(load: Load, change: Change, shared: int) -> None:
    assert load(change).postgres.shared_memory == shared
