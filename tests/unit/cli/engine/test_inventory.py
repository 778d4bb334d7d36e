from __future__ import annotations

import signal
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING
from unittest.mock import Mock

import pytest
from docker.errors import APIError

from cli.core import signals
from cli.engine import inventory
from cli.engine.container import Source
from infra.naming import Naming
from tests.unit.cli.engine_double import LEAVING, Engine, refused

if TYPE_CHECKING:
    from pathlib import Path

    from cli.engine.inventory import EngineView

LABELS = Naming("dev", "me").labels("network")


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return Engine(tmp_path)


@pytest.fixture
def view(engine: Engine) -> EngineView:
    return engine.view


def _fail(status: HTTPStatus) -> None:
    raise refused(status, "no")


def test_containers_as_they_are_now(view: EngineView, engine: Engine) -> None:
    engine.run("redis", state="exited")
    engine.run("app")
    assert [(one.name, one.state) for one in view.containers()] == [
        ("dashtam-dev-app", "running"),
        ("dashtam-dev-redis", "exited"),
    ]


@pytest.mark.parametrize(
    ("stack", "owner", "found"),
    [
        (None, None, {"app", "redis", "sandbox"}),
        ("test", None, {"redis", "sandbox"}),
        ("test", "me", {"redis"}),
        (None, "me", {"app", "redis"}),
        ("ci", "me", set()),
    ],
)
def test_only_what_is_asked_for_is_found(
    view: EngineView, engine: Engine, stack: str | None, owner: str | None, found: set[str]
) -> None:
    engine.run("app", "dev")
    engine.run("redis", "test")
    engine.run("sandbox", "test", "somebody")
    engine.run("postgres")["Config"]["Labels"] = {}
    assert {one.component for one in view.containers(stack, owner)} == found


def test_a_container_that_is_removed_meanwhile_is_left_out(view: EngineView, engine: Engine) -> None:
    engine.run("app")
    engine.run("redis")
    engine.at["inspect_container", "app"] = lambda: engine.containers.pop("app", None)
    assert [one.id for one in view.containers()] == ["redis"]


def test_containers_are_asked_to_stop_by_their_own_signal(view: EngineView, engine: Engine) -> None:
    engine.run("postgres")["Config"]["StopSignal"] = "SIGINT"
    engine.run("app")
    engine.run("redis", state="exited")
    for one in ("postgres", "app", "redis", "removed"):
        view.ask_to_stop(one)
    signals = {key: one["State"].get("Signal") for key, one in engine.containers.items()}
    assert signals == {"postgres": "SIGINT", "app": "SIGTERM", "redis": None}


def test_one_that_stops_by_itself_meanwhile_needs_no_signal(view: EngineView, engine: Engine) -> None:
    stopped = engine.run("app")["State"]
    engine.at["kill", "app"] = lambda: stopped.update(Status="exited")
    view.ask_to_stop("app")
    assert engine.states() == {"app": "exited"}


def test_a_container_is_removed(view: EngineView, engine: Engine) -> None:
    engine.run("app")
    engine.run("redis")
    view.remove_container("app")
    assert engine.states() == {"redis": "running"}


def test_a_removal_that_is_under_way_is_waited_for(view: EngineView, engine: Engine) -> None:
    engine.run("app")[LEAVING] = 2
    view.remove_container("app")
    assert engine.containers == {}


def test_a_removal_that_does_not_end_is_an_error(
    view: EngineView, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inventory, "REMOVAL_SECONDS", 0)
    engine.run("app")[LEAVING] = 1_000_000
    with pytest.raises(APIError) as raised:
        view.remove_container("app")
    assert raised.value.status_code == HTTPStatus.CONFLICT


def test_what_does_not_exist_needs_no_removal(view: EngineView, engine: Engine) -> None:
    engine.connect("net", LABELS)
    engine.volumes["data"] = {}
    view.remove_container("app")
    view.remove_network("id-another")
    view.remove_volume("another", "me")
    view.remove_volume("data", "me")  # nobody's
    assert engine.networks.keys() == {"id-net"}
    assert engine.volumes.keys() == {"data"}


def test_another_refusal_is_an_error(view: EngineView, engine: Engine) -> None:
    engine.run("app")
    engine.at["remove_container", "app"] = lambda: _fail(HTTPStatus.INTERNAL_SERVER_ERROR)
    with pytest.raises(APIError):
        view.remove_container("app")
    assert engine.states() == {"app": "running"}


def test_a_network_is_removed_with_its_connections(view: EngineView, engine: Engine) -> None:
    engine.run("app")
    engine.run("redis")
    other = engine.connect("other", LABELS, "app")
    view.remove_network(engine.connect("net", LABELS, "app", "redis"))
    assert {key: [*one["Containers"]] for key, one in engine.networks.items()} == {other: ["app"]}
    assert engine.states() == {"app": "running", "redis": "running"}


@pytest.mark.parametrize("gone", ["app", "redis"])
def test_a_container_that_is_removed_meanwhile_does_not_keep_the_network(
    view: EngineView, engine: Engine, gone: str
) -> None:
    engine.run("app")
    engine.run("redis")
    network = engine.connect("net", LABELS, "app", "redis")
    engine.at["disconnect", gone] = lambda: engine.forget(gone)
    view.remove_network(network)
    assert engine.networks == {}
    assert engine.containers.keys() == {"app", "redis"} - {gone}


def test_a_network_that_is_removed_meanwhile_is_no_error(view: EngineView, engine: Engine) -> None:
    engine.run("app")
    network = engine.connect("net", LABELS, "app")
    engine.at["disconnect", "app"] = engine.networks.clear
    view.remove_network(network)
    assert engine.networks == {}


def test_everything_that_holds_a_name(view: EngineView, engine: Engine) -> None:
    foreign = engine.run("web")
    foreign["Name"] = "/web"
    foreign["Config"]["Labels"] = None
    foreign["NetworkSettings"]["Ports"] = {"80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "80"}], "81/tcp": None}
    # One that is being removed has no name any more.
    engine.run("removed")["Name"] = ""
    engine.connect("net", LABELS)
    assert {(one.kind, one.name, one.owner, one.host_ports) for one in view.objects()} == {
        ("container", "web", "", frozenset({80})),
        ("network", "net", "me", frozenset()),
    }
    engine.volumes["data"] = None
    assert ("volume", "data", "") in [(one.kind, one.name, one.owner) for one in view.objects()]


def test_last_lines(view: EngineView, engine: Engine) -> None:
    engine.run("app")
    engine.said["app"] = b"zero\none\n\xff two\n"
    assert view.last_lines("app", 2) == ["one", "\ufffd two"]
    assert view.last_lines("gone", 2) == []


def test_a_command_runs_to_its_end(view: EngineView, engine: Engine) -> None:
    engine.run("app")
    engine.programs["echo"] = (3, b"done\xff")
    assert view.execute("app", ("echo", "done")) == (3, "done\ufffd")


@pytest.mark.parametrize("state", ["running", "paused", "exited"])
def test_a_container_is_stopped_even_if_it_is_paused(view: EngineView, engine: Engine, state: str) -> None:
    engine.run("app", state=state)
    view.stop("app")
    assert engine.states() == {"app": "exited"}


def test_a_container_that_can_not_be_stopped_is_an_error(view: EngineView, engine: Engine) -> None:
    engine.run("app")
    engine.at["stop", "app"] = lambda: _fail(HTTPStatus.INTERNAL_SERVER_ERROR)
    with pytest.raises(APIError, match="no"):
        view.stop("app")
    assert engine.states() == {"app": "running"}


@pytest.mark.parametrize("call", ["stop", "start"])
def test_a_service_that_is_stopped_meanwhile_runs_again_though_a_signal_came(
    view: EngineView, engine: Engine, call: str
) -> None:
    engine.run("app")
    states: list[str] = []

    def note(name: str) -> None:
        if name == "start":
            states.append(engine.states()["app"])
        if name == call:
            signal.raise_signal(signal.SIGTERM)

    for name in ("stop", "start"):
        engine.at[name, "app"] = partial(note, name)
    with signals.raised(), pytest.raises(KeyboardInterrupt), view.stopped(view.container("app")):
        pass
    assert states == ["exited"], "a start before the end of the stop has no effect"
    assert engine.states() == {"app": "running"}


def test_a_stopped_container_is_started_and_a_running_one_left_alone(view: EngineView, engine: Engine) -> None:
    engine.run("app", state="exited")
    started = engine.run("redis")["State"]["StartedAt"]
    view.start("app")
    view.start("redis")
    assert engine.states() == {"app": "running", "redis": "running"}
    assert view.container("redis").started == started


def test_a_clone_s_networks_and_volumes(view: EngineView, engine: Engine) -> None:
    engine.connect("mine", LABELS)
    engine.connect("test", Naming("test", "me").labels("network"))
    engine.connect("theirs", Naming("dev", "you").labels("network"))
    engine.connect("foreign", {})
    engine.volumes |= {"data": LABELS, "theirs": Naming("dev", "you").labels("postgres"), "plain": None}
    assert view.networks("dev", "me") == {"id-mine": "mine"}
    assert view.networks(None, "me") == {"id-mine": "mine", "id-test": "test"}
    assert view.volumes("me") == {"data"}


@pytest.mark.parametrize("zone", ["2026-01-02T03:04:05.123456789Z", "2026-01-01T22:04:05.123456789-05:00"])
def test_the_engines_time_is_in_utc_wherever_it_is(zone: str) -> None:
    client = Mock(info=Mock(return_value={"SystemTime": zone}))
    assert inventory.EngineView(client).now() == "2026-01-02T03:04:05.123456Z"


def test_starts_are_read_from_events_as_new_engines_send_them() -> None:
    attributes = {**Naming("dev", "me").labels("app"), "image": "app", "name": "dashtam-dev-app"}
    # Engine 29: `status`, `id` and `from` are omitted from API 1.52 on.
    event = {
        "Type": "container",
        "Action": "start",
        "Actor": {"ID": "abc", "Attributes": attributes},
        "scope": "local",
        "time": 1790000000,
        "timeNano": 1790000000000000000,
    }
    client = Mock()
    client.api.events.return_value = iter([event])
    assert [*inventory.EngineView(client).starts("dev", "me", 0.0)] == [Source("abc", "app", "dashtam-dev-app")]


@pytest.mark.parametrize(
    ("usage", "sizes"),
    [
        (
            {
                "Volumes": [
                    {"Name": "data", "UsageData": {"RefCount": 1, "Size": 5}},
                    {"Name": "remote", "UsageData": None},
                ]
            },
            {"data": 5},
        ),
        ({"Volumes": None}, {}),
        ({"VolumesUsage": {"TotalCount": 1, "TotalSize": 5}}, {}),  # from API 1.53 on
    ],
)
def test_sizes_of_volumes_are_those_that_the_engine_reports(usage: dict[str, object], sizes: dict[str, int]) -> None:
    assert inventory.EngineView(Mock(df=Mock(return_value=usage))).volume_sizes() == sizes
