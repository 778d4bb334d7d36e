"""What commands print holds no escape sequences where there is no terminal, and no colours where nobody wants them.

Nor does any of them change what git tracks.
"""

from __future__ import annotations

import re

from tests.system.checkout import Checkout
from tests.system.commands import terminal

COMMANDS = {
    "--help": 0,
    "up STACK": 0,
    "status": 0,
    "status STACK --json": 0,
    "drift STACK": 0,
    "graph STACK --format mermaid": 0,
    "certs STACK": 0,
    "doctor": 0,
    "env STACK": 0,
    "logs STACK --tail 2": 0,
    "snapshot list STACK": 0,
    "images list": 0,
    "images source": 0,
    "export compose STACK": 0,
    "status nowhere": 64,
    "nonsense": 64,
}
"""Exit statuses."""
WITH_A_DISPLAY = ("--help", "up STACK", "status", "doctor", "nonsense")
"""Help, a progress display, a table, marks, and an error: each kind of what a terminal is shown."""

STYLE = re.compile(r"\x1b\[[0-9;]*m")


def _words(checkout: Checkout, command: str) -> list[str]:
    return [checkout.stack if word == "STACK" else word for word in command.split()]


def test_without_a_terminal_there_are_no_escape_sequences_and_git_sees_no_change(checkout: Checkout) -> None:
    wrong = {}
    for command, status in COMMANDS.items():
        done = checkout.dashtam(*_words(checkout, command), TERM="xterm-256color")
        said = done.stdout + done.stderr
        if done.returncode != status or not said or "\x1b" in said or checkout.status():
            wrong[command] = (done.returncode, said, checkout.status())
    assert wrong == {}


def test_on_a_terminal_nothing_is_styled_where_there_are_to_be_no_colours(checkout: Checkout) -> None:
    wrong = {}
    for command in WITH_A_DISPLAY:
        with terminal.opened(checkout, "./dashtam", *_words(checkout, command), NO_COLOR="1") as shown:
            said = shown.rest()
        if shown.process.returncode != COMMANDS[command] or not said.strip() or STYLE.search(said):
            wrong[command] = (shown.process.returncode, said)
    assert wrong == {}
