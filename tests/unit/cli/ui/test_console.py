"""What is printed is plain where it is not for a terminal, or where there are to be no colours."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from functools import cache

import pytest

from cli.ui import console

LONG = "x" * 100
LITERAL = r"[bold]as it is[/] \[/x] :smile: ends\\"
SCRIPT = f"""
from rich.table import Table
from cli.ui import console
rows = Table("heading", title={LITERAL!r}, title_justify="left")
rows.add_row("{LONG}")
rows.add_row({LITERAL!r})
for which in (console.out, console.err):
    which.print("Error:", style="bold red")
    which.print({LITERAL!r})
    which.print(rows)
"""


@cache
def _printed(*, terminal: bool, **env: str) -> Mapping[str, str]:
    """Return what is printed to each stream."""
    # A pseudo-terminal's buffer holds all of it, so that it can be read afterwards.
    (out, own_out), (err, own_err) = [pty.openpty() if terminal else os.pipe() for _ in range(2)]
    environ = {name: value for name, value in os.environ.items() if name not in {"NO_COLOR", "FORCE_COLOR", "COLUMNS"}}
    command = [sys.executable, "-c", SCRIPT]
    subprocess.run(command, stdout=own_out, stderr=own_err, env={**environ, "TERM": "xterm", **env}, check=True)
    said = {"out": os.read(out, 65_536).decode(), "err": os.read(err, 65_536).decode()}
    for end in (out, own_out, err, own_err):
        os.close(end)
    return said


@pytest.mark.parametrize("which", ["out", "err"])
def test_without_a_terminal_it_is_plain_and_nothing_is_folded(which: str) -> None:
    said = _printed(terminal=False)[which]
    assert "\x1b" not in said
    assert LONG in said


@pytest.mark.parametrize("which", ["out", "err"])
def test_nothing_is_read_as_markup(which: str) -> None:
    assert _printed(terminal=False)[which].count(LITERAL) == len(["line", "title", "cell"])


@pytest.mark.parametrize("which", ["out", "err"])
def test_a_terminal_has_colours_unless_there_are_to_be_none(which: str) -> None:
    assert "\x1b[1;31mError:" in _printed(terminal=True)[which]
    assert "\x1b" not in _printed(terminal=True, NO_COLOR="1")[which]
    assert "\x1b" in _printed(terminal=True, NO_COLOR="")[which]


@pytest.mark.parametrize("which", ["out", "err"])
def test_colours_that_are_asked_for_in_a_log_fold_and_move_nothing(which: str) -> None:
    said = _printed(terminal=False, FORCE_COLOR="1")[which]
    assert "\x1b[1;31mError:" in said
    assert LONG in said
    assert "\x1b" not in _printed(terminal=False, FORCE_COLOR="1", NO_COLOR="1")[which]
    assert not console.err.is_terminal


@contextmanager
def _unread() -> Iterator[int]:
    """Open a pipe that nobody reads."""
    end, own_end = os.pipe()
    os.close(end)
    yield own_end
    os.close(own_end)


@contextmanager
def _full() -> Iterator[int]:
    """Open a file on a full disk."""
    with open("/dev/full", "wb") as file:  # noqa: PTH123 - a device
        yield file.fileno()


WORK = """
from cli.main import _flush
from cli.ui.console import announce, out
from cli.ui.progress import meter
announce("starts")
with meter("work"):
    out.print("done")
_flush()
"""


@pytest.mark.parametrize("messages", [_unread, _full])
def test_work_goes_on_where_its_messages_can_not_be_written(
    messages: Callable[[], AbstractContextManager[int]],
) -> None:
    with messages() as stderr:
        done = subprocess.run([sys.executable, "-c", WORK], stdout=subprocess.PIPE, stderr=stderr, check=False)
    assert (done.returncode, done.stdout) == (0, b"done\n")


def test_results_that_nobody_reads_end_the_command() -> None:
    with _unread() as stdout:
        code = "from cli.ui.console import out\nwhile True: out.print('line')"
        done = subprocess.run(
            [sys.executable, "-c", code], stdout=stdout, stderr=subprocess.PIPE, check=False, timeout=60
        )
    assert (done.returncode, done.stderr) == (1, b"")
