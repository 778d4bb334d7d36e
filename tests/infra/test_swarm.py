"""An environment on a Docker Swarm, as the program declares it."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import pytest

from infra import recipes
from infra.catalogue import SOURCE_VARIABLE
from infra.config import settings
from infra.naming import OWNER_LABEL, PROJECT_LABEL, Naming
from infra.outputs import StackOutputs
from infra.services.health import SCHEDULE
from infra.targets.swarm import LONGEST_NAME
from tests.infra.conftest import swarm_config
from tests.infra.engine_double import CLUSTER, EngineDouble
from tests.infra.recording import OWNER, SECRET, SERVICES, Declared, Deployment, is_secret, run_program

if TYPE_CHECKING:
    from pathlib import Path

    Refuse = Callable[..., list[str]]
    Program = Callable[..., Deployment]
    Variables = Mapping[str, str]

EDGE = "edge"
USERS = {"postgres": ("70", "70"), "redis": ("999", "1000"), "edge": ("99", "99")}
REGISTRY = "registry.example:5000"


@pytest.fixture
def program(engine: EngineDouble, variables: Mapping[str, str]) -> Program:
    """Give what the program declares on a Swarm of three nodes."""
    engine.manage("node1", "node2", "node3")
    return lambda **target: run_program("review-42", swarm_config(variables["DOCKER_HOST"], **target), variables)


def service(deployment: Deployment, name: str) -> Declared:
    return deployment.named("Service", f"dashtam-review-42-{name}")


def container(deployment: Deployment, name: str) -> dict[str, Any]:
    return dict(service(deployment, name).inputs["taskSpec"]["containerSpec"])


def labels(pairs: list[dict[str, str]]) -> dict[str, str]:
    return {one["label"]: one["value"] for one in pairs}


def test_each_service_is_one_of_the_swarm_and_no_container(swarm: Deployment) -> None:
    assert {one.name for one in swarm.of("Service")} == {f"dashtam-review-42-{name}" for name in (*SERVICES, EDGE)}
    assert not swarm.of("Container")
    assert not swarm.of("RemoteImage")


def test_the_edge_alone_publishes_on_each_node(swarm: Deployment) -> None:
    for name in SERVICES:
        assert service(swarm, name).inputs["endpointSpec"] == {"mode": "dnsrr", "ports": []}
    assert service(swarm, EDGE).inputs["mode"] == {"global": True}
    ports = service(swarm, EDGE).inputs["endpointSpec"]["ports"]
    assert {(one["publishedPort"], one["targetPort"], one["publishMode"]) for one in ports} == {
        (8010, 8000, "host"),
        (8192, 8182, "host"),
        (8292, 8282, "host"),
    }


def test_every_file_is_a_secret_for_its_reader_alone(swarm: Deployment) -> None:
    for name in (*SERVICES, EDGE):
        secrets = container(swarm, name)["secrets"]
        assert {"/run/secrets/ca.crt"} < {one["fileName"] for one in secrets}
        uid, gid = USERS.get(name, ("10001", "10001"))
        for one in secrets:
            assert (one["fileMode"], one["fileUid"], one["fileGid"]) == (0o400, uid, gid)
    assert sum(len(container(swarm, name)["secrets"]) for name in (*SERVICES, EDGE)) == len(swarm.of("Secret"))


def test_a_secret_is_replaced_by_one_of_another_name_before_it_is_deleted(swarm: Deployment) -> None:
    for one in swarm.of("Secret"):
        assert "name" not in one.inputs
        assert not one.request.deleteBeforeReplace
        rest = one.name.removeprefix(f"dashtam-{swarm.stack}")
        assert len("dashtam-") + LONGEST_NAME + len(rest) + len("-1234567") <= 64


def test_no_secret_is_sent_in_clear(swarm: Deployment) -> None:
    clear = base64.b64encode(SECRET.encode()).decode()[:12]
    assert any(clear in json.dumps(one.inputs) or SECRET in json.dumps(one.inputs) for one in swarm.of("Secret"))
    for one in swarm.resources:
        assert SECRET not in one.shown
    for one in swarm.of("Secret"):
        assert is_secret(one.raw["data"])
    for name in (*SERVICES, EDGE):
        assert SECRET not in json.dumps(service(swarm, name).inputs)


def test_everything_is_labelled(swarm: Deployment) -> None:
    owned = [*swarm.of("Service"), *swarm.of("Network"), *swarm.of("Volume"), *swarm.of("Secret")]
    for one in owned:
        assert one.labels["dashtam.stack"] == "review-42"
        assert one.labels[OWNER_LABEL] == OWNER
    for name in (*SERVICES, EDGE):
        assert labels(container(swarm, name)["labels"]) == service(swarm, name).labels


def test_every_container_is_limited_and_hardened(swarm: Deployment) -> None:
    for name in (*SERVICES, EDGE):
        spec = container(swarm, name)
        assert (spec["readOnly"], spec["init"], spec["capDrops"]) == (True, True, ["ALL"])
        assert service(swarm, name).inputs["taskSpec"]["resources"]["limits"]["memoryBytes"] >= 16 * 1024**2
        assert spec["healthcheck"]["tests"][0] == "CMD-SHELL"
        # An unnamed volume is left behind by the engine, and the built plugin fails at a tmpfs with options.
        for mount in spec["mounts"]:
            assert mount.keys() == {"type", "target"} or mount["source"].endswith("_data")
            assert mount["type"] == ("volume" if "source" in mount else "tmpfs")


def test_an_outage_of_the_database_ends_no_replica_of_the_app(swarm: Deployment) -> None:
    [_, check] = container(swarm, "app")["healthcheck"]["tests"]
    probe = "python -m app.run.probe https://localhost:8000"
    assert f"if [ -e /tmp/healthy ]; then {probe}/health {SCHEDULE}; else {probe}/ready {SCHEDULE}; fi" in check


def test_the_edge_tells_services_their_clients_where_these_expect_it(swarm: Deployment) -> None:
    [config] = [one for one in swarm.of("Secret") if one.name.endswith("edge-haproxy.cfg")]
    lines = base64.b64decode(config.inputs["data"]).decode().splitlines()
    for name in ("app", "callback"):
        variables = container(swarm, name)["env"]
        assert any(f"tasks.dashtam-review-42-{name}:{variables['EDGE_PORT']}" in line for line in lines)
    assert "EDGE_PORT" not in container(swarm, "sandbox")["env"]


def test_data_is_on_its_node_and_kept(swarm: Deployment) -> None:
    for name in ("postgres", "redis"):
        volume = swarm.named("Volume", f"{name}_review-42_data")
        assert volume.request.protect
        assert "data-node" in volume.request.provider
        assert service(swarm, name).inputs["taskSpec"]["placement"] == {"constraints": ["node.hostname==node1"]}
        assert any(mount.get("source") == volume.inputs["name"] for mount in container(swarm, name)["mounts"])
    [provider] = [one for one in swarm.resources if one.name == "data-node"]
    assert provider.inputs["host"].startswith("unix://")


@pytest.mark.parametrize(
    ("name", "replicas", "order"),
    [
        ("postgres", 1, "stop-first"),
        ("redis", 1, "stop-first"),
        ("app", 3, "start-first"),
        ("callback", 2, "start-first"),
        ("sandbox", 1, "start-first"),
    ],
)
def test_an_update_replaces_one_container_at_a_time_and_goes_back(
    swarm: Deployment, name: str, replicas: int, order: str
) -> None:
    inputs = service(swarm, name).inputs
    assert inputs["mode"] == {"replicated": {"replicas": replicas}}
    update = inputs["updateConfig"]
    assert (update["order"], update["parallelism"], update["failureAction"]) == (order, 1, "rollback")
    assert inputs["convergeConfig"]["timeout"].endswith("s")


def test_the_network_is_an_encrypted_overlay_and_names_are_as_on_an_engine(swarm: Deployment) -> None:
    [network] = swarm.of("Network")
    assert (network.inputs["driver"], network.inputs["attachable"]) == ("overlay", True)
    assert network.inputs["options"] == {"encrypted": ""}
    for name in SERVICES:
        assert service(swarm, name).inputs["taskSpec"]["networksAdvanceds"] == [{"id": "network-id", "aliases": [name]}]


def test_encryption_can_be_left_to_tls(program: Program) -> None:
    [network] = program(encrypted=False).of("Network")
    assert "options" not in network.inputs


def test_the_outputs_say_where_it_runs(swarm: Deployment) -> None:
    outputs = StackOutputs.model_validate(swarm.exports)
    assert outputs.engine == CLUSTER
    assert outputs.target
    assert outputs.target.services[EDGE] == "dashtam-review-42-edge"
    assert outputs.target.replicas["app"] == 3
    assert outputs.urls.app == "https://staging.example:8010"


@pytest.fixture
def published(
    program: Program, engine: EngineDouble, variables: Variables, monkeypatch: pytest.MonkeyPatch
) -> Callable[[], Deployment]:
    """Give what the program declares where a registry has all images."""
    monkeypatch.setenv(SOURCE_VARIABLE, variables[SOURCE_VARIABLE])
    config = settings.load("review-42", swarm_config("unix:///none", registry=REGISTRY))
    references = recipes.references(config, config.services)
    assert len(references) == 6
    engine.digests = {f"{REGISTRY}/{one}": f"sha256:{number:064x}" for number, one in enumerate(references)}
    return lambda: program(registry=REGISTRY)


def test_with_a_registry_images_are_its_own_by_digest(
    published: Callable[[], Deployment], engine: EngineDouble
) -> None:
    deployment = published()
    used = {container(deployment, name)["image"] for name in (*SERVICES, EDGE)}
    assert used == {f"{name}@{digest}" for name, digest in engine.digests.items()}


def test_nodes_pull_with_the_login_of_docker_which_is_in_no_state(
    published: Callable[[], Deployment], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    auth = base64.b64encode(b"me:their-password").decode()
    (tmp_path / "config.json").write_text(json.dumps({"auths": {REGISTRY: {"auth": auth}}}))
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    deployment = published()
    providers = [one for one in deployment.resources if one.type == "pulumi:providers:docker"]
    [own] = [one for one in providers if one.name == "manager"]
    assert json.loads(own.inputs["registryAuth"]) == [{"address": REGISTRY, "configFile": f"{tmp_path}/config.json"}]
    for name in (*SERVICES, EDGE):
        assert "::manager::" in service(deployment, name).request.provider
    shown = [json.dumps(one.inputs) for one in deployment.resources]
    assert not any(secret in text for text in shown for secret in (auth, "their-password"))


def test_without_a_login_nodes_pull_with_none(
    published: Callable[[], Deployment], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    deployment = published()
    [own] = [one for one in deployment.resources if one.name == "manager"]
    assert "registryAuth" not in own.inputs
    # The same provider as with one: Pulumi replaces what gets another.
    for name in (*SERVICES, EDGE):
        assert "::manager::" in service(deployment, name).request.provider


def test_an_image_that_the_registry_lacks_is_one_message(
    refuse: Refuse, engine: EngineDouble, variables: Variables
) -> None:
    engine.manage("node1")
    (message,) = refuse("review-42", swarm_config(variables["DOCKER_HOST"], registry=REGISTRY))
    assert message.startswith(f"{REGISTRY}/dashtam")
    assert "`./dashtam up` builds and pushes it" in message


def test_an_engine_that_is_no_manager_is_one_message(refuse: Refuse, variables: Variables) -> None:
    (message,) = refuse("review-42", swarm_config(variables["DOCKER_HOST"]))
    assert "is not a manager of a Swarm (its state is inactive)" in message


@pytest.mark.parametrize(
    ("nodes", "reason"),
    [
        (("node2", "node3"), "The Swarm has no node node1"),
        (("node2", "node1"), "is not the one of node1: it is node2"),
    ],
)
def test_a_data_node_that_is_elsewhere_is_one_message(
    refuse: Refuse, engine: EngineDouble, variables: Variables, nodes: tuple[str, ...], reason: str
) -> None:
    engine.manage(*nodes)
    (message,) = refuse("review-42", swarm_config(variables["DOCKER_HOST"]))
    assert reason in message


@pytest.mark.parametrize("kind", ["service", "network", "volume"])
def test_what_another_clone_has_is_not_taken(
    refuse: Refuse, engine: EngineDouble, variables: Variables, kind: str
) -> None:
    naming = Naming("review-42", "another")
    name = {
        "service": naming.container(EDGE),
        "network": naming.network,
        "volume": naming.data_volume("postgres"),
    }[kind]
    engine.manage("node1")
    engine.put(kind, name, naming.labels(kind))
    (message,) = refuse("review-42", swarm_config(variables["DOCKER_HOST"]))
    assert "review-42 is another clone's here" in message
    engine.clear()
    engine.manage("node1")
    engine.put(kind, name, {PROJECT_LABEL: "other"})
    assert f"The {kind} name {name}" in refuse("review-42", swarm_config(variables["DOCKER_HOST"]))[-1]
