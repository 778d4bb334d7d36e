from __future__ import annotations

from types import SimpleNamespace

import pytest

from cli.core.errors import UserError
from cli.engine import streams
from cli.engine.inventory import EngineObject
from cli.engine.node import KEY
from infra.naming import Naming
from tests.unit.cli.swarm_double import Swarm

LABELS = Naming("staging", "me").labels("postgres")


@pytest.fixture
def swarm() -> Swarm:
    made = Swarm("node1", "node2", "node3")
    made.run("app", replicas=3)
    made.run("postgres")
    return made


def test_tasks_are_shown_where_an_engine_has_containers(swarm: Swarm, monkeypatch: pytest.MonkeyPatch) -> None:
    swarm.run("app", owner="another")
    found = swarm.view(monkeypatch).containers("staging", "me")
    assert [(one.name, one.replica, one.node, one.is_fine) for one in found] == [
        ("dashtam-staging-app.1@node1", "app.1", "node1", True),
        ("dashtam-staging-app.2@node2", "app.2", "node2", True),
        ("dashtam-staging-app.3@node3", "app.3", "node3", True),
        ("dashtam-staging-postgres.1@node1", "postgres.1", "node1", True),
    ]


def test_what_has_ended_is_history(swarm: Swarm, monkeypatch: pytest.MonkeyPatch) -> None:
    began = swarm.now()
    swarm.tasks["task-2"]["DesiredState"] = "shutdown"
    swarm.tasks["task-2"]["Status"] |= {"State": "failed", "Err": "unhealthy", "Timestamp": swarm.now()}
    swarm.task("service-app-me", 2, state="starting")
    view = swarm.view(monkeypatch)
    assert [(one.replica, one.state) for one in view.containers("staging", "me")][:3] == [
        ("app.1", "running"),
        ("app.2", "starting"),
        ("app.3", "running"),
    ]
    assert [(one.id, one.error) for one in view.failures("staging", "me", began)] == [("task-2", "unhealthy")]
    assert view.failures("staging", "me", swarm.now()) == []


def test_a_service_counts_its_replicas_and_those_that_are_updated(
    swarm: Swarm, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = swarm.services["service-app-me"]
    service["Spec"]["TaskTemplate"]["ContainerSpec"] = {"Image": "image:2", "Mounts": []}
    service["UpdateStatus"] = {"State": "updating", "StartedAt": "2026", "Message": "update in progress"}
    swarm.tasks["task-1"]["Spec"]["ContainerSpec"] = {"Image": "image:2", "Mounts": []}
    swarm.tasks["task-3"]["Status"]["State"] = "preparing"
    app, _ = swarm.view(monkeypatch).services("staging", "me")
    assert (app.wanted, app.running, app.updated, app.image, app.update) == (3, 2, 1, "image:2", "updating")
    assert not app.is_fine
    assert not app.is_rolled_back


def test_a_service_is_stopped_with_all_of_its_replicas_and_starts_again(
    swarm: Swarm, monkeypatch: pytest.MonkeyPatch
) -> None:
    view = swarm.view(monkeypatch)
    with view.stopped(view.containers("staging", "me")[0]):
        assert [one.component for one in view.containers("staging", "me")] == ["postgres"]
    assert [one.component for one in view.containers("staging", "me")] == ["app", "app", "app", "postgres"]


@pytest.mark.parametrize(("service", "replicas"), [("app", 3), ("postgres", 1)])
def test_one_that_a_killed_command_left_stopped_starts_with_the_replicas_of_the_config(
    swarm: Swarm, monkeypatch: pytest.MonkeyPatch, service: str, replicas: int
) -> None:
    view = swarm.view(monkeypatch)
    swarm.scale(f"service-{service}-me", 0)
    view.resume("staging", "me", service)
    assert [one.component for one in view.containers("staging", "me")].count(service) == replicas
    swarm.scale("service-app-me", 2)
    view.resume("staging", "me", "app")
    assert swarm.services["service-app-me"]["Spec"]["Mode"]["Replicated"]["Replicas"] == 2, "somebody's choice stays"


def test_a_command_runs_on_the_node_of_a_task(swarm: Swarm, monkeypatch: pytest.MonkeyPatch) -> None:
    view = swarm.view(monkeypatch, "node2")
    assert view.execute("task-2", ["ls"]) == (0, "said by container-2")
    assert swarm.nodes["node2"].ran == [("container-2", ["ls"])]
    node, found = view.node_of("task-2")
    assert (node.environ()["DOCKER_HOST"], found) == (node.address, "container-2")
    for task, container in ("task-1", "container-1"), ("own", "own"):
        node, found = view.node_of(task)
        assert (node.client, node.environ(), found) == (view.client, {}, container), "the engine in use"


def test_a_secret_is_read_where_it_is_in_memory(swarm: Swarm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "read_file", lambda _client, container, _path: f"archive of {container}".encode())
    monkeypatch.setattr(streams, "run", lambda _client, container, command: f"{container}: {' '.join(command)}")
    view = swarm.view(monkeypatch, "node2")
    assert view.read_file("task-2", "/run/secrets/one") == b"container-2: cat /run/secrets/one"
    assert view.read_file("own", "/run/secrets/one") == b"archive of own"


def test_a_node_whose_address_nobody_gave_is_named_with_the_key(swarm: Swarm, monkeypatch: pytest.MonkeyPatch) -> None:
    view = swarm.view(monkeypatch, "node2")
    with pytest.raises(UserError, match="node3 can't be reached") as raised:
        view.execute("task-3", ["ls"])
    assert KEY in raised.value.cause
    assert KEY in raised.value.remedy
    assert [view.reaches(one) for one in view.containers("staging", "me")] == [True, True, False, True]


def test_logs_are_read_from_tasks(swarm: Swarm, monkeypatch: pytest.MonkeyPatch) -> None:
    swarm.said["task-2"] = b"2026-01-01T00:00:00Z one\n2026-01-01T00:00:01Z two\n"
    view = swarm.view(monkeypatch)
    assert view.last_lines("task-2", 1) == ["2026-01-01T00:00:01Z two"]
    assert list(view.log("task-2")) == [b"2026-01-01T00:00:00Z one\n", b"2026-01-01T00:00:01Z two\n"]


def test_a_node_that_is_down_adds_nothing_to_logs(swarm: Swarm, monkeypatch: pytest.MonkeyPatch) -> None:
    said = b"Error grabbing logs: rpc error: code = Unknown desc = warning: incomplete log stream\n"
    swarm.said["task-2"] = b"2026-01-01T00:00:00Z one\n" + said
    assert list(swarm.view(monkeypatch).log("task-2")) == [b"2026-01-01T00:00:00Z one\n"]


def test_volumes_are_those_of_the_manager_and_of_the_node_with_data(
    swarm: Swarm, monkeypatch: pytest.MonkeyPatch
) -> None:
    swarm.nodes["node1"].volumes["other"] = {}
    view = swarm.view(monkeypatch, "node2", data_node="node2")
    view.make_volume("postgres_staging_data", LABELS)
    assert "postgres_staging_data" in swarm.nodes["node2"].volumes
    assert {one["Name"] for one in view.volume_documents()} == {"other", "postgres_staging_data"}
    swarm.nodes["node1"].volumes["postgres_staging_data"] = {}  # a stranger's, on another node
    view.remove_volume("postgres_staging_data", "me")
    assert swarm.nodes["node2"].volumes == {}
    assert swarm.nodes["node1"].volumes.keys() == {"other", "postgres_staging_data"}


def test_names_and_ports_are_taken_by_services(swarm: Swarm, monkeypatch: pytest.MonkeyPatch) -> None:
    port = {"Protocol": "tcp", "TargetPort": 8000, "PublishedPort": 443}
    swarm.services["service-app-me"]["Spec"]["EndpointSpec"] = {"Ports": [port]}
    view = swarm.view(monkeypatch)
    held = EngineObject("service", "dashtam-staging-app", "me", frozenset({443}))
    assert held in view.objects()
    assert view.containers("staging", "me")[0].ports == {"8000/tcp": [443]}


def test_a_task_without_a_container_has_written_nothing(swarm: Swarm, monkeypatch: pytest.MonkeyPatch) -> None:
    task = swarm.task("service-app-me", 4, state="pending")
    swarm.tasks[task]["Status"]["ContainerStatus"] = None
    swarm.said[task] = b"the engine would refuse\n"
    assert list(swarm.view(monkeypatch).log(task)) == []


def test_a_task_is_followed_from_its_start_on(swarm: Swarm, monkeypatch: pytest.MonkeyPatch) -> None:
    states = iter(["pending", "preparing", "starting"])
    task = swarm.task("service-app-me", 4, state="new")

    def sleep(_seconds: float) -> None:
        swarm.tasks[task]["Status"]["State"] = next(states)

    monkeypatch.setattr("cli.engine.swarm.time", SimpleNamespace(sleep=sleep))
    one = next(swarm.view(monkeypatch).starts("staging", "me", 0.0))
    assert (one.id, one.label, [*states]) == (task, "app.4@node1", [])


def test_an_engine_that_manages_no_swarm_has_nothing_of_one(swarm: Swarm, monkeypatch: pytest.MonkeyPatch) -> None:
    swarm.is_manager = False
    view = swarm.view(monkeypatch)
    assert (view.containers(), view.services(None, None), view.node_documents()) == ([], [], [])
