from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import docker
import pytest
import typer
from docker.credentials.errors import StoreError
from docker.errors import DockerException
from requests import RequestException
from typer.core import TyperGroup
from typer.testing import CliRunner

from cli import lazy_commands, main
from cli.core import signals
from cli.core.errors import UserError
from cli.core.paths import ROOT
from cli.engine.streams import CommandError
from cli.lazy_commands import Commands

COMMANDS = [[name] for name, command in Commands().items() if not isinstance(command, TyperGroup)]


def _run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["dashtam", *arguments])
    with pytest.raises(SystemExit) as raised:
        main.main()
    code = raised.value.code
    assert isinstance(code, int)
    return code


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Callable[[BaseException], None]:
    """Makes every command fail in a way."""

    def make(error: BaseException) -> None:
        app = typer.Typer()

        @app.command()
        def fail() -> None:
            raise error

        monkeypatch.setattr(main, "app", app)

    return make


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_help_has_an_example(command: list[str]) -> None:
    done = CliRunner().invoke(main.app, [*command, "--help"])
    assert done.exit_code == 0
    assert re.search(r"Examples?: .*\./dashtam " + command[0], done.output), done.output


def test_the_help_names_every_command() -> None:
    done = CliRunner().invoke(main.app, ["--help"])
    assert all(command[0] in done.output for command in COMMANDS)
    assert "./dashtam up dev" in done.output


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        ([], 64),
        (["nonsense"], 64),
        (["up"], 64),
        (["status", "--bogus"], 64),
        (["destroy"], 64),
        (["images", "nonsense"], 64),
        (["images", "source", "moon"], 64),
    ],
)
def test_a_wrong_command_line_is_told_without_a_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: list[str], status: int
) -> None:
    assert _run(monkeypatch, *arguments) == status
    printed = capsys.readouterr()
    said = printed.err or printed.out
    assert said.strip()
    assert "Traceback" not in said


def test_a_users_error_says_cause_and_remedy(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], failing: Callable[[BaseException], None]
) -> None:
    failing(UserError(r"x\[/y] is wrong.", cause=r"[red]because[/] of \[a-z]+\\", remedy="do [this]"))
    assert _run(monkeypatch) == 1
    said = capsys.readouterr()
    assert said.err.splitlines() == [
        r"Error: x\[/y] is wrong.",
        r"[red]because[/] of \[a-z]+\\",
        "What to do: do [this]",
    ]
    assert said.out == ""


def _full_disk() -> Exception:
    with pytest.raises(OSError, match="No space") as raised, Path("/dev/full").open("wb") as file:
        file.write(b"content")
    return raised.value


def _engine_that_went_away() -> Exception:
    """What the SDK raises when an engine that had answered closes the connection and is gone."""
    with socket.create_server(("127.0.0.1", 0)) as server, ThreadPoolExecutor(1) as pool:
        client = docker.DockerClient(base_url=f"tcp://127.0.0.1:{server.getsockname()[1]}", version="1.41")
        hanging_up = pool.submit(server.accept)
        hanging_up.add_done_callback(lambda accepted: accepted.result()[0].close())
        with pytest.raises(RequestException) as raised:
            client.ping()
        client.close()
    return raised.value


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: DockerException("it refuses"), ["The Docker engine refused.", "it refuses", "./dashtam doctor"]),
        (
            lambda: StoreError("docker-credential-desktop not installed or not available in PATH"),
            ["The Docker engine refused.", "docker-credential-desktop not installed", "Remove `credsStore`"],
        ),
        (
            lambda: PermissionError(13, "Permission denied", "/etc/elsewhere"),
            ["/etc/elsewhere can't be used: Permission denied.", "ls -ld /etc/elsewhere"],
        ),
        (
            lambda: CommandError(3, "no such table"),
            ["A command in a container failed.", "no such table", "dashtam logs"],
        ),
        (_full_disk, ["A disk of this machine is full.", "No space left on device", "df -h"]),
        (_engine_that_went_away, ["The Docker engine stopped answering.", "aborted", "Start it again"]),
        (ConnectionResetError, ["The Docker engine stopped answering.", "Start it again"]),
    ],
)
def test_what_can_meet_every_command_is_told_with_its_remedy(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    failing: Callable[[BaseException], None],
    make: Callable[[], Exception],
    said: list[str],
) -> None:
    failing(make())
    assert _run(monkeypatch) == 1
    told = capsys.readouterr().err
    assert "Traceback" not in told
    assert [words for words in (*said, "What to do:") if words not in told] == []


@pytest.mark.parametrize("error", [ValueError("a mistake"), FileNotFoundError("forgotten")])
def test_a_mistake_of_the_program_is_not_hidden(
    monkeypatch: pytest.MonkeyPatch, failing: Callable[[BaseException], None], error: Exception
) -> None:
    failing(error)
    monkeypatch.setattr(sys, "argv", ["dashtam"])
    with pytest.raises(type(error)):
        main.main()


def test_an_interrupt_says_how_to_go_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], failing: Callable[[BaseException], None]
) -> None:
    failing(KeyboardInterrupt())
    assert _run(monkeypatch) == 130
    assert "Run the same command again" in capsys.readouterr().err


def test_an_interrupt_is_a_document_for_scripts(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], failing: Callable[[BaseException], None]
) -> None:
    failing(KeyboardInterrupt())
    monkeypatch.setattr(main, "_wants_json", lambda: True)
    assert _run(monkeypatch) == 130
    [line] = capsys.readouterr().out.splitlines()
    error = {"message": "Interrupted.", "cause": "", "remedy": "Run the same command again to continue."}
    assert json.loads(line) == {"error": error}


@pytest.mark.parametrize("status", [0, 1, 5])
def test_the_exit_status_is_the_commands(
    monkeypatch: pytest.MonkeyPatch, failing: Callable[[BaseException], None], status: int
) -> None:
    failing(typer.Exit(status))
    assert _run(monkeypatch) == status


def test_its_version_is_printed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert _run(monkeypatch, "--version") == 0
    assert re.fullmatch(r"dashtam \d+\.\d+\.\d+\n", capsys.readouterr().out)


@pytest.mark.parametrize(
    "arguments",
    [["drift", "nowhere", "--json"], ["down", "--json"], ["down", "--bogus", "--json"], ["logs", "nowhere", "--json"]],
)
def test_scripts_get_a_failure_as_a_document(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    assert _run(monkeypatch, *arguments) == 64
    printed = capsys.readouterr()
    [line] = printed.out.splitlines()  # as `logs` has a document a line
    error = json.loads(line)["error"]
    assert error.keys() == {"message", "cause", "remedy"}
    assert error["message"] in printed.err


def test_a_signal_during_the_imports_of_a_command_ends_it_without_importing_again(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(_: str) -> None:
        # Imported again, a package lacks those of its modules that were imported before the signal came.
        monkeypatch.setattr(lazy_commands, "import_module", broken)
        os.kill(os.getpid(), signal.SIGTERM)

    def broken(module: str) -> None:
        raise AttributeError(module)

    monkeypatch.delitem(sys.modules, "cli.commands.keys", raising=False)
    monkeypatch.setattr(lazy_commands, "import_module", interrupted)
    assert _run(monkeypatch, "keys", "rotate", "dev") == 128 + signal.SIGTERM
    assert capsys.readouterr().err == "Interrupted. Run the same command again to continue.\n"


def test_what_is_for_another_program_does_not_ask_for_a_document(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run(monkeypatch, "exec", "nowhere", "app", "--", "tool", "--json") == 64
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_help_shows_metavars_and_no_types(command: list[str]) -> None:
    shown = CliRunner().invoke(main.app, [*command, "--help"], prog_name="dashtam").output
    assert f"Usage: ./dashtam {command[0]} [OPTIONS]" in shown
    assert re.findall(r"<\w+|\{\w+\}|\[\[", shown) == []


@pytest.mark.parametrize("number", signals.NUMBERS)
def test_a_command_that_ends_well_after_a_signal_has_done_its_work(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], number: int
) -> None:
    app = typer.Typer()

    @app.command()
    def follow() -> None:
        with suppress(KeyboardInterrupt):
            os.kill(os.getpid(), number)

    monkeypatch.setattr(main, "app", app)
    assert _run(monkeypatch) == 0
    assert capsys.readouterr().err == ""


def test_a_failure_is_printed_though_nobody_reads_the_document(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with Path("/dev/full").open("w") as full:
        monkeypatch.setattr(sys, "stdout", full)
        assert _run(monkeypatch, "drift", "nowhere", "--json") == 64
        monkeypatch.undo()
    assert "There is no environment 'nowhere'." in capsys.readouterr().err


@pytest.mark.parametrize(
    ("command", "status", "output"),
    [
        ("sys.exit(2)", 2, ""),
        ("print('x' * 1_000_000); sys.exit(0)", 0, "x" * 1_000_000 + "\n"),
        ("sys.stderr.write('no newline'); sys.exit(64)", 64, "no newline"),
        ("raise ValueError('unexpected')", 1, "unexpected"),
    ],
)
def test_a_command_ends_at_once_with_its_status_and_all_of_its_output(command: str, status: int, output: str) -> None:
    script = f"import sys\nfrom cli import main\ndef stub():\n    {command}\nmain.main = stub\nmain.run()"
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == status
    assert output in done.stdout


def test_output_that_can_not_be_written_at_the_end_is_a_failure() -> None:
    script = "import sys\nfrom cli import main\nmain.main = lambda: sys.exit(print('usage') or 0)\nmain.run()"
    with Path("/dev/full").open("w") as full:
        assert subprocess.run([sys.executable, "-c", script], cwd=ROOT, stdout=full, check=False).returncode == 1


def test_output_that_can_not_be_written_is_one_message() -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-c", "from cli.start import run; run()", "--version"],
            cwd=ROOT,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr.startswith("Error: A disk of this machine is full.")
    assert "Exception ignored" not in done.stderr
