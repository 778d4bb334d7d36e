"""A command in a container, run by a client of Docker's that writes down what it is given."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from typing import TYPE_CHECKING
from unittest.mock import Mock

import pytest

from cli.core.errors import UserError
from cli.core.paths import ROOT
from cli.engine import container_exec

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.cli.conftest import MakeContainer, MakeProgram

CLIENT = r"""
printf '%s\n' "$@" > {folder}/words
echo "$DOCKER_HOST" > {folder}/host
read -r line; echo "output of $line"; echo "error of $line" >&2; exit 7
"""

BECOME = """
import json, sys
from unittest.mock import Mock
from cli.engine import container_exec
from cli.engine.inventory import EngineView
environ, *command = json.loads(sys.argv[1])
print("before")
container_exec.find_endpoint = lambda remember: Mock(environment=lambda: {"DOCKER_HOST": "unix:///engine.sock"})
container_exec.become(EngineView(Mock()), Mock(id="id-app"), command, environ)
"""


@pytest.fixture
def environ(program: MakeProgram, tmp_path: Path) -> dict[str, str]:
    folder = program("docker", CLIENT.format(folder=tmp_path))
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in {*container_exec.TERMINAL_VARIABLES, "DOCKER_HOST"}
    }
    return {**kept, "PATH": f"{folder}:{os.environ['PATH']}", "TERM": "xterm", "PYTHONPATH": str(ROOT)}


def test_input_output_and_exit_status_are_the_commands(environ: dict[str, str], tmp_path: Path) -> None:
    given = json.dumps([{"PGAPPNAME": "me"}, "psql", "--list"])
    done = subprocess.run(
        [sys.executable, "-c", BECOME, given], env=environ, input="x\n", capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (7, "before\noutput of x\n", "error of x\n")
    assert (tmp_path / "host").read_text() == "unix:///engine.sock\n"
    words = (tmp_path / "words").read_text().splitlines()
    assert words == ["exec", "--interactive", "--env", "PGAPPNAME=me", "id-app", "psql", "--list"]


def test_on_a_terminal_it_gets_one(environ: dict[str, str], tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    os.write(ours, b"x\n")
    done = subprocess.run(
        [sys.executable, "-c", BECOME, json.dumps([{}, "sh"])],
        env={**environ, "NO_COLOR": "1"},
        stdin=theirs,
        stdout=theirs,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(theirs)
    os.close(ours)
    assert done.returncode == 7
    terminal = ["--tty", "--detach-keys", container_exec.DETACH_KEYS, "--env", "TERM", "--env", "NO_COLOR"]
    words = (tmp_path / "words").read_text().splitlines()
    assert words == ["exec", "--interactive", *terminal, "id-app", "sh"]


def test_without_docker_s_client_the_remedy_installs_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, container: MakeContainer
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserError, match="docker command is not on your PATH") as raised:
        container_exec.become(Mock(), container(), ["sh"])
    assert "`sudo apt-get install --yes docker-cli`" in raised.value.remedy
