from __future__ import annotations

import json
import os
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cli import recovery
from cli.engine_view import ContainerView, EngineView
from cli.errors import UserError
from cli.pulumi import Pulumi
from tests.unit.cli.conftest import MakeContainer, MakeProgram

CONTAINER = "docker:index/container:Container"
NETWORK = "docker:index/network:Network"


class FakePulumi(Pulumi):
    """Keeps a state in memory."""

    state: dict[str, Any]
    imported: list[dict[str, Any]]

    def run(self, *arguments: str, stdin: str | None = None) -> str:
        if arguments[:2] == ("stack", "import"):
            self.imported.append(json.loads(stdin or ""))
            return ""
        assert arguments[:2] == ("stack", "export")
        return json.dumps(self.state)


class FakeView(EngineView):
    """An engine that notes what is removed."""

    def __init__(self, containers: list[ContainerView], networks: dict[str, str]) -> None:
        self.found, self.nets = containers, networks
        self.removed: list[str] = []

    def containers(self, stack: str | None = None, owner: str | None = None) -> list[ContainerView]:
        assert (stack, owner) == ("test", "me")
        return self.found

    def networks(self, stack: str | None, owner: str) -> dict[str, str]:
        assert (stack, owner) == ("test", "me")
        return self.nets

    def remove_container(self, container: str) -> None:
        self.removed.append(container)

    def remove_network(self, network: str) -> None:
        self.removed.append(network)


def _pulumi(backend: Path, *resources: tuple[str, str], pending: bool = False) -> FakePulumi:
    made = FakePulumi({"PULUMI_BACKEND_URL": backend.as_uri()})
    deployment: dict[str, Any] = {"resources": [{"type": kind, "id": name} for kind, name in resources]}
    if pending:
        deployment["pending_operations"] = [{"type": "creating"}]
    object.__setattr__(made, "state", {"version": 3, "deployment": deployment})
    object.__setattr__(made, "imported", [])
    return made


def _recover(pulumi: FakePulumi, view: FakeView) -> tuple[bool, list[str]]:
    said: list[str] = []
    return recovery.recover(pulumi, view, "test", "me", said.append), said


@pytest.fixture
def lock_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "locks" / ".pulumi/locks/organization/dashtam/test"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def backend(lock_folder: Path) -> Path:
    return lock_folder.parents[4]


@pytest.fixture
def dead() -> int:
    """The id of a process that has ended."""
    with subprocess.Popen(["true"]) as process:
        process.wait()
    return process.pid


@pytest.fixture
def living(program: MakeProgram) -> Iterator[int]:
    """The id of a process that is named like Pulumi and waits to be ended."""
    folder = program("pulumi", "read -r _")
    with subprocess.Popen([folder / "pulumi"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        yield process.pid
        process.kill()


def _lock(folder: Path, pid: int, host: str | None = None) -> Path:
    path = folder / f"{pid}.json"
    path.write_text(json.dumps({"pid": pid, "hostname": host or socket.gethostname(), "username": "me"}))
    return path


def test_an_environment_that_is_well_is_left_alone(container: MakeContainer, tmp_path: Path) -> None:
    view = FakeView([container()], {"dashtam-test-network": "net"})
    pulumi = _pulumi(tmp_path, (CONTAINER, "id-app"), (NETWORK, "net"))
    assert _recover(pulumi, view) == (False, [])
    assert (view.removed, pulumi.imported) == ([], [])


@pytest.mark.parametrize(
    ("changes", "goes"),
    [
        ({"state": "exited"}, True),
        ({"state": "paused"}, True),
        ({"state": "created", "health": ""}, True),
        ({"health": "unhealthy"}, True),
        ({"health": "starting"}, False),
        ({"component": "app-files", "state": "exited", "health": "", "exit_code": 0}, False),
        ({"component": "app-files", "state": "exited", "health": "", "exit_code": 1}, True),
    ],
)
def test_a_container_that_will_not_do_is_removed_and_refreshed(
    container: MakeContainer, tmp_path: Path, changes: dict[str, object], goes: bool
) -> None:
    view = FakeView([container(**changes)], {})
    refresh, said = _recover(_pulumi(tmp_path, (CONTAINER, "id-app")), view)
    assert (refresh, view.removed) == (goes, ["id-app"] if goes else [])
    assert bool(said) is goes


def test_what_no_state_knows_is_removed(container: MakeContainer, tmp_path: Path) -> None:
    view = FakeView([container()], {"dashtam-test-network": "net"})
    refresh, said = _recover(_pulumi(tmp_path), view)
    assert view.removed == ["id-app", "net"]
    assert not refresh
    assert all("broken-off update" in line for line in said)


def test_what_is_gone_is_refreshed(tmp_path: Path) -> None:
    refresh, _ = _recover(_pulumi(tmp_path, (CONTAINER, "id-app")), FakeView([], {}))
    assert refresh


def test_a_network_that_is_gone_is_refreshed(container: MakeContainer, tmp_path: Path) -> None:
    pulumi = _pulumi(tmp_path, (CONTAINER, "id-app"), (NETWORK, "net"))
    view = FakeView([container()], {})
    refresh, said = _recover(pulumi, view)
    # Its container runs on, cut off from the others.
    assert refresh
    assert view.removed == ["id-app"]
    assert "its network is gone" in said[0]


def test_pending_operations_are_forgotten(container: MakeContainer, tmp_path: Path) -> None:
    pulumi = _pulumi(tmp_path, (CONTAINER, "id-app"), pending=True)
    _, said = _recover(pulumi, FakeView([container()], {}))
    [imported] = pulumi.imported
    assert "pending_operations" not in imported["deployment"]
    assert imported["deployment"]["resources"] == [{"type": CONTAINER, "id": "id-app"}]
    assert any("broken off" in line for line in said)


def test_a_replacement_that_was_broken_off_is_refreshed(container: MakeContainer, tmp_path: Path) -> None:
    pulumi = _pulumi(tmp_path, (CONTAINER, "id-app"), (CONTAINER, "id-gone"))
    pulumi.state["deployment"]["resources"][1]["pendingReplacement"] = True
    refresh, said = _recover(pulumi, FakeView([container()], {}))
    [imported] = pulumi.imported
    assert refresh
    assert imported["deployment"]["resources"][1] == {"type": CONTAINER, "id": "id-gone"}
    assert any("broken off" in line for line in said)


@pytest.mark.parametrize("state", [{}, {"version": 3}, {"deployment": None}, {"deployment": {}}])
def test_an_empty_state_is_fine(tmp_path: Path, state: dict[str, Any]) -> None:
    pulumi = _pulumi(tmp_path)
    object.__setattr__(pulumi, "state", state)
    assert _recover(pulumi, FakeView([], {})) == (False, [])


def test_a_dead_process_holds_no_lock(lock_folder: Path, backend: Path, dead: int) -> None:
    path = _lock(lock_folder, dead)
    _, said = _recover(_pulumi(backend), FakeView([], {}))
    assert not path.exists()
    assert str(dead) in said[0]


def test_another_program_with_that_id_holds_no_lock(lock_folder: Path, backend: Path) -> None:
    # This process is no pulumi.
    path = _lock(lock_folder, os.getpid())
    _recover(_pulumi(backend), FakeView([], {}))
    assert not path.exists()


@pytest.mark.parametrize("content", ["", "{}", '{"pid": 1}', "{half"])
def test_a_lock_that_was_broken_off_is_removed(lock_folder: Path, backend: Path, content: str) -> None:
    (lock_folder / "broken.json").write_text(content)
    _recover(_pulumi(backend), FakeView([], {}))
    assert list(lock_folder.iterdir()) == []


def test_a_living_process_is_waited_for(
    lock_folder: Path, backend: Path, living: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = _lock(lock_folder, living)
    monkeypatch.setattr(recovery, "LOCK_WAIT", 0.3)
    with pytest.raises(UserError, match=str(living)) as raised:
        _recover(_pulumi(backend), FakeView([], {}))
    assert "pulumi cancel" in raised.value.remedy
    assert path.exists()


def test_a_lock_of_another_machine_is_never_taken(
    lock_folder: Path, backend: Path, dead: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = _lock(lock_folder, dead, host="another-machine")
    monkeypatch.setattr(recovery, "LOCK_WAIT", 0.3)
    with pytest.raises(UserError, match="another-machine"):
        _recover(_pulumi(backend), FakeView([], {}))
    assert path.exists()


def test_other_stacks_and_backends_have_no_locks_here(lock_folder: Path, backend: Path, dead: int) -> None:
    _lock(lock_folder, dead)
    assert recovery.locks(backend.as_uri(), "dev") == []
    assert recovery.locks("https://example.invalid", "test") == []
    assert [lock.pid for lock in recovery.locks(backend.as_uri(), "test")] == [dead]
