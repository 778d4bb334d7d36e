"""What the README tells people to type is there, and works."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path

import pytest
from typer.main import get_command

from cli.main import app
from infra.outputs import StackOutputs

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()
COMMANDS = sorted(set(re.findall(r"\./dashtam ((?:[a-z]+ ?)+)", README)))
CONTAINER_COMMANDS = re.findall(r"^\| .*? \| `(docker exec [^\n]*)` \|$", README, re.MULTILINE)
SHELL = "exec -it dashtam-dev-app"
INPUT = {"psql": "select 41 + 1;", "redis-cli": "PING\n", SHELL: "id -u\n"}
EXPECTED = {"psql": "42", "redis-cli": "PONG", SHELL: "10001", "pg_dump": "PGDMP", "pg_restore": ""}


@pytest.mark.parametrize("words", COMMANDS)
def test_the_commands_exist(words: str) -> None:
    name, *rest = words.split()
    commands = getattr(get_command(app), "commands")  # noqa: B009 - a click group, typed as a command
    assert name in commands
    group = getattr(commands[name], "commands", None)
    if group is not None and rest:
        assert rest[0] in group


def test_the_table_of_container_commands_is_found() -> None:
    assert len(CONTAINER_COMMANDS) == len(EXPECTED)


def test_the_container_commands_work(outputs: StackOutputs, tmp_path: Path) -> None:
    for command in CONTAINER_COMMANDS:
        key = next(key for key in EXPECTED if key in command)
        mine = command.replace("dashtam-dev-", outputs.network.removesuffix("network")).replace("-it", "-i")
        done = subprocess.run(
            ["bash", "-c", mine],
            cwd=tmp_path,
            input=INPUT.get(key, "") if "<" not in command else None,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, (shlex.quote(mine), done.stderr)
        dump = tmp_path / "dashtam.dump"
        said = dump.read_bytes()[:5].decode() if ">" in command else done.stdout
        assert EXPECTED[key] in said
