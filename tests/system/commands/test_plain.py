"""What commands print holds no escape sequences where there is no terminal, and no colours where nobody wants them."""

from __future__ import annotations

import re

import pytest

from tests.system.checkout import Checkout
from tests.system.commands import terminal

COMMANDS = [
    ["--help"],
    ["up", "STACK"],
    ["status"],
    ["status", "STACK", "--json"],
    ["drift", "STACK"],
    ["graph", "STACK", "--format", "mermaid"],
    ["certs", "STACK"],
    ["doctor"],
    ["env", "STACK"],
    ["logs", "STACK", "--tail", "2"],
    ["snapshot", "list", "STACK"],
    ["images", "list"],
    ["images", "source"],
    ["export", "compose", "STACK"],
    ["status", "nowhere"],
    ["nonsense"],
]
STYLE = re.compile(r"\x1b\[[0-9;]*m")

every_command = pytest.mark.parametrize("words", COMMANDS, ids=" ".join)


def _in(checkout: Checkout, words: list[str]) -> list[str]:
    return [checkout.stack if word == "STACK" else word for word in words]


@every_command
def test_without_a_terminal_there_are_no_escape_sequences(checkout: Checkout, words: list[str]) -> None:
    done = checkout.dashtam(*_in(checkout, words), TERM="xterm-256color")
    assert done.stdout + done.stderr
    assert "\x1b" not in done.stdout + done.stderr


@every_command
def test_on_a_terminal_nothing_is_styled_where_there_are_to_be_no_colours(checkout: Checkout, words: list[str]) -> None:
    with terminal.opened(checkout, "./dashtam", *_in(checkout, words), NO_COLOR="1") as shown:
        said = shown.rest()
    assert said.strip()
    assert not STYLE.search(said)
