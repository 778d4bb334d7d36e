from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from cli.core.errors import UserError
from cli.environments.environment_lock import turn

HOLDER = """
import sys
from pathlib import Path
from cli.environments.environment_lock import turn
with turn(Path(sys.argv[1]), "test", print):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_one_after_the_other(tmp_path: Path) -> None:
    said: list[str] = []
    for _ in range(2):
        with turn(tmp_path, "test", said.append):
            pass
    assert said == []


def test_other_environments_do_not_wait(tmp_path: Path) -> None:
    said: list[str] = []
    with turn(tmp_path, "test", said.append), turn(tmp_path, "dev", said.append):
        assert said == []


def test_who_holds_it_may_ask_again(tmp_path: Path) -> None:
    said: list[str] = []
    with turn(tmp_path, "test", said.append, 0.0):
        with turn(tmp_path, "test", said.append, 0.0):
            pass
        # The inner end gives nothing back.
        script = "import sys; from pathlib import Path; from cli.environments.environment_lock import turn\n"
        script += "with turn(Path(sys.argv[1]), 'test', print, 0.0): pass"
        other = subprocess.run([sys.executable, "-c", script, tmp_path], capture_output=True, text=True, check=False)
        assert "still being changed by another command" in other.stderr
    assert said == []


def test_a_failure_gives_the_turn_back(tmp_path: Path) -> None:
    def fail() -> None:
        with turn(tmp_path, "test", print):
            raise RuntimeError

    for _ in range(2):
        with pytest.raises(RuntimeError):
            fail()


def test_another_process_is_waited_for_and_told_of(tmp_path: Path) -> None:
    said: list[str] = []
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(UserError, match="still being changed"), turn(tmp_path, "test", said.append, patience=0.1):
            pass
        holder.kill()
    # The operating system gave it back.
    with turn(tmp_path, "test", said.append):
        pass
    assert said == ["Another command is changing test; waiting for it."]
