from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.core.errors import UserError
from cli.engine.container import ContainerView
from cli.engine.inventory import EngineObject, EngineView
from cli.environments.configuration import configuration
from cli.operations import preflight
from infra import identity
from infra.config.placement import Placement, plain
from infra.naming import Naming
from tests.unit.cli.conftest import MakeContainer

CONFIG = """\
config:
  dashtam:postgres: {{database: d, user: u}}
  dashtam:app: {{port: {port}, oauth_redirect_uri: "https://127.0.0.1:8182"}}
"""


class FakeView(EngineView):
    """An engine with some names and ports in use."""

    is_here = True

    def __init__(self, *held: EngineObject, own: ContainerView | None = None) -> None:
        self.held, self.own = list(held), [own] if own else []

    def publishes_here(self) -> bool:
        return self.is_here

    def objects(self) -> list[EngineObject]:
        return self.held

    def all_containers(self) -> list[EngineObject]:
        return [one for one in self.held if one.kind == "container"]

    def containers(self, stack: str | None = None, owner: str | None = None) -> list[ContainerView]:
        assert (stack, owner) == ("test", "me")
        return self.own


@pytest.fixture
def taken() -> Iterator[int]:
    """A port on which this process listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def free() -> Iterator[int]:
    """A port on which nobody listens; it stays bound, so that nobody else gets it, as is allowed until one listens."""
    with socket.socket() as bound:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


def _require(tmp_path: Path, port: int, view: FakeView, placed: Placement | None = None) -> None:
    (tmp_path / "Pulumi.test.yaml").write_text(CONFIG.format(port=port))
    _require_free(tmp_path, view, placed or plain("test"))


def _require_free(root: Path, view: EngineView, placed: Placement) -> None:
    config = placed.applied(configuration(root, "test"))
    preflight.require_free(view, Naming("test", "me", placed.name), config, placed)


def test_nothing_in_the_way(tmp_path: Path, free: int) -> None:
    own = EngineObject("network", "dashtam-test-network", "me")
    others = [EngineObject("container", "dashtam-dev-app", "other"), EngineObject("volume", "data", "")]
    _require(tmp_path, free, FakeView(own, *others))


@pytest.mark.parametrize(
    ("kind", "name", "removal"),
    [
        ("container", "dashtam-test-app", "docker rm -f dashtam-test-app"),
        ("container", "dashtam-test-files", "docker rm -f dashtam-test-files"),
        ("network", "dashtam-test-network", "docker network rm dashtam-test-network"),
        ("volume", "postgres_test_data", "docker volume rm postgres_test_data"),
        ("volume", "dashtam-test-app-files", "docker volume rm dashtam-test-app-files"),
    ],
)
def test_a_strangers_name_is_not_taken_over(tmp_path: Path, free: int, kind: str, name: str, removal: str) -> None:
    with pytest.raises(UserError, match=name) as raised:
        _require(tmp_path, free, FakeView(EngineObject(kind, name, "")))
    assert removal in raised.value.remedy
    # Networks and volumes can't be given another name.
    assert "ename" not in raised.value.remedy
    assert "`./dashtam up test --name NAME`" in raised.value.remedy


def test_another_clones_environment_is_named_with_its_folder(tmp_path: Path, free: int, data_home: Path) -> None:
    (root := tmp_path / "some body").mkdir()
    identity.write(root, "other", data_home)
    record = data_home / "clones/other/clone.json"
    record.parent.mkdir(parents=True)
    record.write_text(json.dumps({"root": str(root)}))
    theirs = FakeView(EngineObject("container", "dashtam-test-app", "other"))
    with pytest.raises(UserError, match=f"another clone of this project in {root}") as raised:
        _require(tmp_path, free, theirs)
    assert f"(cd '{root}' && ./dashtam destroy test)" in raised.value.remedy
    root.rename(tmp_path / "deleted")
    with pytest.raises(UserError, match=f"another clone of this project in {root}") as raised:
        _require(tmp_path, free, theirs)
    assert "`./dashtam clean --clone other`" in raised.value.remedy


@pytest.mark.usefixtures("data_home")
def test_a_clone_that_is_gone_left_something(tmp_path: Path, free: int) -> None:
    with pytest.raises(UserError, match="another clone") as raised:
        _require(tmp_path, free, FakeView(EngineObject("volume", "redis_test_data", "gone")))
    assert "docker volume rm redis_test_data" in raised.value.remedy


def test_a_port_that_a_process_has_is_named_with_it(tmp_path: Path, taken: int) -> None:
    with pytest.raises(UserError, match=f"Port {taken}") as raised:
        _require(tmp_path, taken, FakeView())
    assert f"(pid {os.getpid()})" in raised.value.cause
    assert "dashtam:app in Pulumi.test.yaml" in raised.value.remedy
    assert "`./dashtam up test --name NAME`" in raised.value.remedy


def test_a_port_of_its_own_is_not_to_be_sought_in_the_config(tmp_path: Path, taken: int, free: int) -> None:
    placed = Placement(source="test", name="test-me", ports={"app": taken})
    with pytest.raises(UserError, match=f"Port {taken}") as raised:
        _require(tmp_path, free, FakeView(), placed)
    assert "Pulumi.test.yaml" not in raised.value.remedy


def test_a_placed_environment_needs_the_names_and_ports_of_its_place(tmp_path: Path, taken: int, free: int) -> None:
    placed = Placement(source="test", name="test-me", ports={"app": free})
    _require(tmp_path, taken, FakeView(EngineObject("container", "dashtam-test-app", "")), placed)
    with pytest.raises(UserError, match="dashtam-test-me-app"):
        _require(tmp_path, taken, FakeView(EngineObject("container", "dashtam-test-me-app", "")), placed)


def test_a_port_that_a_container_has_is_named_with_it(tmp_path: Path, taken: int) -> None:
    holder = EngineObject("container", "somebodys-web", "", frozenset({taken}))
    with pytest.raises(UserError, match=f"Port {taken}") as raised:
        _require(tmp_path, taken, FakeView(holder))
    assert "somebodys-web" in raised.value.cause


def test_its_own_ports_are_no_obstacle(tmp_path: Path, taken: int, container: MakeContainer) -> None:
    _require(tmp_path, taken, FakeView(own=container(ports={"8000/tcp": [taken]})))


def test_a_wrong_config_comes_first(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"Pulumi\.test\.yaml is not valid") as raised:
        _require(tmp_path, 70000, FakeView(EngineObject("container", "dashtam-test-app", "")))
    assert "70000" in raised.value.cause


def test_a_file_that_the_config_names_and_nobody_made_is_told(tmp_path: Path, free: int) -> None:
    files = "client_id_file: id, client_secret_file: secret"
    config = CONFIG.format(port=free) + f"  dashtam:providers: {{bank: {{preset: schwab, {files}}}}}\n"
    (tmp_path / "Pulumi.test.yaml").write_text(config)
    with pytest.raises(UserError) as error:
        configuration(tmp_path, "test")
    assert error.value.message == "Pulumi.test.yaml is not valid."
    assert 'dashtam:providers.bank.client_id_file = "id": no such file or directory;' in error.value.cause


def test_another_computers_ports_are_not_judged_by_this_ones(tmp_path: Path, taken: int) -> None:
    view = FakeView()
    view.is_here = False
    _require(tmp_path, taken, view)


def test_a_port_that_a_container_of_another_computer_publishes_is_taken(tmp_path: Path, free: int) -> None:
    view = FakeView(EngineObject("container", "web", "", frozenset({free})))
    view.is_here = False
    with pytest.raises(UserError, match=f"Port {free}") as raised:
        _require(tmp_path, free, view)
    assert "The container web" in raised.value.cause


def test_an_address_of_no_interface_is_refused(tmp_path: Path, free: int) -> None:
    (tmp_path / "Pulumi.test.yaml").write_text(
        CONFIG.format(port=free) + "  dashtam:network: {bind_address: 192.0.2.1, hostname: b.example}\n"
    )
    with pytest.raises(UserError, match=r"can't publish its ports on 192\.0\.2\.1"):
        _require_free(tmp_path, FakeView(), plain("test"))
