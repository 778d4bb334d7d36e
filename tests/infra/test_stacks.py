"""The table of what dev, test and ci promise, row by row, and that a further stack needs a config alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from infra import recipes

if TYPE_CHECKING:
    from tests.infra.recording import Deployment

    Declare = Callable[[str], Deployment]

THREE = ("dev", "test", "ci")
INSIDE = {"app": 8000, "postgres": 5432, "redis": 6379, "callback": 8182, "sandbox": 8282}
SPEED = (
    "synchronous_commit=off fsync=off full_page_writes=off wal_level=minimal max_wal_senders=0 random_page_cost=1.0"
    " shared_buffers=256MB effective_cache_size=512MB maintenance_work_mem=128MB wal_buffers=16MB max_connections=100"
)


def environment(deployment: Deployment, service: str) -> dict[str, str]:
    return dict(entry.split("=", 1) for entry in deployment.service(service).inputs["envs"])


def redis_configuration(deployment: Deployment) -> list[str]:
    return deployment.file("redis", "redis.conf").splitlines()


@pytest.mark.parametrize("stack", THREE)
def test_containers(declare: Declare, stack: str) -> None:
    assert [service.inputs["name"] for service in declare(stack).services] == [
        f"dashtam-{stack}-{service}" for service in ("postgres", "redis", "app", "callback", "sandbox")
    ]


@pytest.mark.parametrize(("stack", "internal"), [("dev", False), ("test", False), ("ci", True)])
def test_network(declare: Declare, stack: str, internal: bool) -> None:
    (network,) = declare(stack).of("Network")
    assert network.inputs["name"] == f"dashtam-{stack}-network"
    assert network.inputs["internal"] is internal
    assert network.inputs["driver"] == "bridge"


def test_dev_keeps_its_data(declare: Declare) -> None:
    dev = declare("dev")
    volumes = {volume.inputs["name"] for volume in dev.of("Volume") if not volume.name.endswith("-files")}
    assert volumes == {"postgres_dev_data", "redis_dev_data"}
    for service, volume, path in (
        ("postgres", "postgres_dev_data", "/var/lib/postgresql/data"),
        ("redis", "redis_dev_data", "/data"),
    ):
        assert {"type": "volume", "source": volume, "target": path} in dev.service(service).inputs["mounts"]
        assert path not in dev.service(service).inputs["tmpfs"]
    assert {"appendonly yes", "appendfsync everysec"} <= set(redis_configuration(dev))


def test_only_data_and_what_it_is_read_with_are_protected(deployment: Deployment) -> None:
    protected = {resource.name for resource in deployment.resources if resource.request.protect}
    data = {volume.name for volume in deployment.of("Volume") if not volume.name.endswith("-files")}
    needed = {"postgres-password", "session-key", "token-k1-key"}
    assert protected == data | (needed if any(name.startswith("postgres_") for name in data) else set())
    for volume in deployment.of("Volume"):
        assert list(volume.request.ignoreChanges) == ["labels"]


def test_data_outlasts_none_of_what_reads_it(declare: Declare) -> None:
    dev = declare("dev")
    volume = dev.named("Volume", "postgres_dev_data")
    needed = [dev.named("RandomPassword", "postgres-password")]
    needed += [one for one in dev.of("RandomBytes") if one.name.startswith("token-") or one.name == "session-key"]
    assert len(needed) == 3
    assert all(volume.depends_on(one) for one in needed)


@pytest.mark.parametrize("stack", ["test", "ci"])
def test_test_and_ci_forget_their_data(declare: Declare, stack: str) -> None:
    deployment = declare(stack)
    assert {volume.name for volume in deployment.of("Volume")} == {
        f"dashtam-{stack}-{service}-files" for service in INSIDE
    }
    postgres, redis = (deployment.service(name).inputs["tmpfs"] for name in ("postgres", "redis"))
    assert {"uid=70", "gid=70", "mode=0700", "size=1024m"} <= set(postgres["/var/lib/postgresql/data"].split(","))
    assert {"uid=999", "gid=1000", "mode=0700", "size=256m"} <= set(redis["/data"].split(","))
    assert {"appendonly no", 'save ""'} <= set(redis_configuration(deployment))


@pytest.mark.parametrize(
    ("stack", "ports"),
    [
        ("dev", {"app": 8000, "postgres": 5432, "redis": 6379, "callback": 8182, "sandbox": 8282}),
        ("test", {"app": 8001, "postgres": 5433, "redis": 6380, "callback": 8183, "sandbox": 8283}),
        ("ci", {}),
        ("review-42", {"app": 8010, "postgres": 5444, "redis": 6391, "callback": 8192, "sandbox": 8292}),
    ],
)
def test_ports(declare: Declare, stack: str, ports: dict[str, int]) -> None:
    published = {name: declare(stack).service(name).inputs.get("ports", []) for name in INSIDE}
    assert published == {
        name: [{"internal": INSIDE[name], "external": ports[name], "ip": "127.0.0.1"}] if ports else []
        for name in INSIDE
    }


@pytest.mark.parametrize(
    ("stack", "database", "user", "number"),
    [
        ("dev", "dashtam", "dashtam_user", "0"),
        ("test", "dashtam_test", "dashtam_test_user", "1"),
        ("ci", "dashtam_test", "dashtam_test_user", "1"),
    ],
)
def test_databases(declare: Declare, stack: str, database: str, user: str, number: str) -> None:
    postgres, app = (environment(declare(stack), service) for service in ("postgres", "app"))
    assert (postgres["POSTGRES_DB"], postgres["POSTGRES_USER"]) == (database, user)
    assert (app["DATABASE_NAME"], app["DATABASE_USER"], app["REDIS_DB"]) == (database, user, number)


@pytest.mark.parametrize(
    ("stack", "debug", "testing", "redirect"),
    [
        ("dev", "true", "false", "https://127.0.0.1:8182"),
        ("test", "true", "true", "https://127.0.0.1:8183"),
        ("ci", "false", "true", "https://callback:8182"),
    ],
)
def test_modes(declare: Declare, stack: str, debug: str, testing: str, redirect: str) -> None:
    app = environment(declare(stack), "app")
    assert (app["DEBUG"], app["TESTING"], app["OAUTH_REDIRECT_URI"]) == (debug, testing, redirect)
    assert app["ENVIRONMENT"] == stack


def test_the_callback_gets_addresses_and_no_credentials(declare: Declare) -> None:
    tls = {"TLS_CA_FILE": "ca.crt", "TLS_CERTIFICATE_FILE": "tls.crt", "TLS_KEY_FILE": "tls.key"}
    assert environment(declare("ci"), "callback") == {
        "ENVIRONMENT": "ci",
        "DEBUG": "false",
        "APP_URL": "https://app:9000",
        "PUBLIC_URL": "https://app:8000",
        **{name: f"/run/secrets/{file}" for name, file in tls.items()},
    }


@pytest.mark.parametrize(
    ("stack", "pause", "rounds", "timeout"),
    [("dev", 10, 60, "15m0s"), ("test", 5, 120, "20m0s"), ("ci", 2, 300, "35m0s")],
)
def test_what_is_healthy_is_checked_as_often_as_in_the_original(
    declare: Declare, stack: str, pause: int, rounds: int, timeout: str
) -> None:
    for service in declare(stack).services:
        check = service.inputs["healthcheck"]
        assert f"pause={pause}; [ -e /tmp/checking ] || rounds={rounds};" in check["tests"][1]
        assert (check["interval"], check["timeout"]) == ("500ms", timeout)


@pytest.mark.parametrize(("stack", "tuning"), [("dev", ""), ("test", SPEED), ("ci", SPEED), ("review-42", SPEED)])
def test_postgres_is_tuned(declare: Declare, stack: str, tuning: str) -> None:
    command = declare(stack).service("postgres").inputs["command"]
    given = dict(word.split("=", 1) for word in command[2::2])
    security = {
        *("ssl", "ssl_cert_file", "ssl_key_file", "ssl_min_protocol_version", "ssl_ciphers"),
        *("hba_file", "password_encryption"),
    }
    assert {name: value for name, value in given.items() if name not in security} == dict(
        word.split("=") for word in tuning.split()
    )
    assert security <= set(given)


@pytest.mark.parametrize(("stack", "reloads"), [("dev", True), ("test", False), ("ci", False)])
def test_dev_alone_reloads_mounted_source(declare: Declare, stack: str, reloads: bool) -> None:
    for name in ("app", "callback"):
        inputs = declare(stack).service(name).inputs
        bound = [mount for mount in inputs["mounts"] if mount["type"] == "bind"]
        assert ("--reload" in inputs["command"]) is reloads
        assert [(mount["target"], mount["readOnly"]) for mount in bound] == [("/srv/app", True)] * reloads


@pytest.mark.parametrize(
    ("stack", "stages"),
    [
        ("dev", {"development"}),
        ("test", {"production", "callback"}),
        ("ci", {"production", "callback", "test"}),
        ("review-42", {"production", "callback"}),
    ],
)
def test_images(declare: Declare, stack: str, stages: set[str]) -> None:
    images = {image.name: image.inputs for image in declare(stack).of("RemoteImage")}
    assert set(images) == {"postgres", "redis", "sandbox", *stages}
    for stage in (*stages, "sandbox"):
        build = images[stage]["build"]
        assert build["target"] == stage
        assert images[stage]["name"] == recipes.reference(stage, build["buildArgs"])


def test_no_two_stacks_share_anything_on_the_engine(declare: Declare) -> None:
    def taken(stack: str) -> set[Any]:
        deployment = declare(stack)
        kinds = ("Container", "Volume", "Network")
        names = {(kind, resource.inputs["name"]) for kind in kinds for resource in deployment.of(kind)}
        ports = {port["external"] for service in deployment.services for port in service.inputs.get("ports", [])}
        return names | ports

    stacks = (*THREE, "review-42")
    everything = [taken(stack) for stack in stacks]
    assert len(set[Any]().union(*everything)) == sum(len(one) for one in everything)
