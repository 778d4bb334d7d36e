"""What is printed is plain where it is not for a terminal, or where there are to be no colours."""

from __future__ import annotations

import os
import pty
import subprocess
import sys

import pytest

from cli.ui import console

LONG = "x" * 100
SCRIPT = f"""
from rich.table import Table
from cli.ui import console
rows = Table("[bold red]heading[/]")
rows.add_row("{LONG}")
console.{{which}}.print("[bold red]Error:[/] [dim]dim[/]")
console.{{which}}.print(rows)
"""


def _printed(which: str, *, terminal: bool, **env: str) -> str:
    # A pseudo-terminal's buffer holds all of it, so that it can be read afterwards.
    ours, theirs = pty.openpty() if terminal else os.pipe()
    environ = {name: value for name, value in os.environ.items() if name not in {"NO_COLOR", "FORCE_COLOR", "COLUMNS"}}
    command = [sys.executable, "-c", SCRIPT.format(which=which)]
    subprocess.run(command, stdout=theirs, stderr=theirs, env={**environ, "TERM": "xterm", **env}, check=True)
    said = os.read(ours, 65_536).decode()
    os.close(theirs)
    os.close(ours)
    return said


@pytest.mark.parametrize("which", ["out", "err"])
def test_without_a_terminal_it_is_plain_and_nothing_is_folded(which: str) -> None:
    said = _printed(which, terminal=False)
    assert "\x1b" not in said
    assert LONG in said


@pytest.mark.parametrize("which", ["out", "err"])
def test_a_terminal_has_colours_unless_there_are_to_be_none(which: str) -> None:
    assert "\x1b[1;31mError:" in _printed(which, terminal=True)
    assert "\x1b" not in _printed(which, terminal=True, NO_COLOR="1")
    assert "\x1b" in _printed(which, terminal=True, NO_COLOR="")


@pytest.mark.parametrize("which", ["out", "err"])
def test_colours_that_are_asked_for_in_a_log_fold_and_move_nothing(which: str) -> None:
    said = _printed(which, terminal=False, FORCE_COLOR="1")
    assert "\x1b[1;31mError:" in said
    assert LONG in said
    assert "\x1b" not in _printed(which, terminal=False, FORCE_COLOR="1", NO_COLOR="1")
    assert not console.err.is_terminal
