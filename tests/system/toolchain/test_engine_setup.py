"""Installing and starting an engine, on a machine whose package manager and services are small scripts."""

import contextlib
import os
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cli.core.errors import UserError
from cli.core.paths import ROOT
from cli.engine.connect import Engine, UnreachableError
from cli.engine.endpoint import Endpoint
from cli.machine.engine_setup import set_up_engine

ENGINE = ROOT / "tests/system/toolchain/data/engine.py.txt"


class FakeMachine:
    """A machine without an engine.

    Args:
        folder: Where its commands, its socket and what they wrote are.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.tools = folder / "bin"
        self.tools.mkdir()
        self.engine = f"echo $$ >> {folder}/pids; exec {sys.executable} {ENGINE} {folder}/docker.sock"

    def add(self, name: str, script: str) -> None:
        """Add a command that notes how it was called and then does something."""
        path = self.tools / name
        path.write_text(f'#!/bin/sh\necho "{name} $*" >> {self.folder}/calls\n{script}\n')
        path.chmod(0o755)

    def add_apt(self, install: str) -> None:
        """Add a package manager with a source that fails, as unrelated ones do."""
        wanted = f'*"docker.io iptables --download-only") ;; *"docker.io iptables") {install};;'
        self.add("apt-get", f'case "$*" in *update*) exit 100;; {wanted} *) exit 9;; esac')

    @property
    def calls(self) -> list[str]:
        path = self.folder / "calls"
        return [line.replace("-q -o DPkg::Lock::Timeout=120 ", "") for line in path.read_text().splitlines()]

    def set_up(self) -> Engine:
        nothing = Endpoint(f"unix://{self.folder}/docker.sock", "default socket", chosen=False)
        return set_up_engine(UnreachableError(nothing, "No such file or directory"))


@pytest.fixture
def machine(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeMachine]:
    folder = Path(f"/tmp/s{os.getpid()}-{tmp_path_factory.mktemp('x').name}")  # noqa: S108 - short enough for a socket
    folder.mkdir()
    machine = FakeMachine(folder)
    for name in ("sh", "echo", "cp", "setsid", "cat"):
        (machine.tools / name).symlink_to(shutil.which(name) or name)
    monkeypatch.setenv("PATH", str(machine.tools))
    monkeypatch.setenv("DASHTAM_CACHE_HOME", str(folder / "cache"))
    monkeypatch.setattr("cli.machine.engine_setup.os.geteuid", lambda: 0)
    monkeypatch.setattr("cli.machine.engine_setup.platform.system", lambda: "Linux")
    monkeypatch.setattr("cli.machine.engine_setup.DEFAULT_SOCKET", folder / "docker.sock")
    monkeypatch.setattr("cli.machine.engine_setup._SYSTEMD", folder / "systemd")
    monkeypatch.setattr("cli.machine.engine_setup._SERVICE", folder / "service")
    yield machine
    pids = folder / "pids"
    for pid in map(int, pids.read_text().split() if pids.exists() else []):
        os.kill(pid, signal.SIGTERM)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, 0)
    shutil.rmtree(folder)


def test_installed_and_started_directly(machine: FakeMachine, capsys: pytest.CaptureFixture[str]) -> None:
    (machine.folder / "dockerd").write_text(
        f'#!/bin/sh\necho "dockerd $*" >> {machine.folder}/calls\n{machine.engine}\n'
    )
    (machine.folder / "dockerd").chmod(0o755)
    machine.add_apt(f"cp {machine.folder}/dockerd {machine.tools}/dockerd")
    assert machine.set_up().version == "27.5.1"
    assert machine.calls == [
        "apt-get update",
        "apt-get install --yes --no-install-recommends docker.io iptables --download-only",
        "apt-get install --yes --no-install-recommends docker.io iptables",
        "dockerd ",
    ]
    told = capsys.readouterr().err
    assert told.index("Installing the Docker engine: ") < told.index("Starting the Docker engine: dockerd")


@pytest.mark.parametrize(
    ("marker", "command"), [("systemd", "systemctl start docker"), ("service", "service docker start")]
)
def test_started_as_the_machine_starts_services(machine: FakeMachine, marker: str, command: str) -> None:
    (machine.folder / marker).mkdir()
    machine.add("dockerd", "exit 1")
    # As a service, it outlives the command; this one also keeps that command's output open.
    machine.add(command.split(maxsplit=1)[0], f"setsid sh -c '{machine.engine}' &")
    assert machine.set_up().version == "27.5.1"
    assert machine.calls == [command]


def test_a_service_that_fails_gives_way_to_the_engine_itself(machine: FakeMachine) -> None:
    (machine.folder / "service").touch()
    machine.add("service", "echo cgroups are not mounted; exit 1")
    machine.add("dockerd", machine.engine)
    assert machine.set_up().version == "27.5.1"
    assert machine.calls == ["service docker start", "dockerd "]


def test_what_does_not_start_shows_its_log(machine: FakeMachine) -> None:
    machine.add("dockerd", "echo failed to create NAT chain; exit 1")
    with pytest.raises(UserError, match="doesn't start") as raised:
        machine.set_up()
    assert "failed to create NAT chain" in raised.value.cause


def test_what_cannot_be_installed_says_why(machine: FakeMachine) -> None:
    machine.add_apt("echo E: Unable to locate package docker.io; exit 100")
    with pytest.raises(UserError, match="can't be installed") as raised:
        machine.set_up()
    assert "Unable to locate package docker.io" in raised.value.cause


@pytest.mark.parametrize(
    "change",
    [
        lambda patch: patch.setattr("cli.machine.engine_setup.os.geteuid", lambda: 1000),
        lambda patch: patch.setattr("cli.machine.engine_setup.platform.system", lambda: "Darwin"),
    ],
    ids=["not root", "not Linux"],
)
def test_others_are_told_what_to_do(
    machine: FakeMachine, monkeypatch: pytest.MonkeyPatch, change: Callable[[pytest.MonkeyPatch], None]
) -> None:
    change(monkeypatch)
    machine.add_apt("exit 0")
    with pytest.raises(UserError, match="No Docker engine is running") as raised:
        machine.set_up()
    assert "sudo apt-get install --yes docker.io" in raised.value.remedy
    assert not (machine.folder / "calls").exists()
