from __future__ import annotations

import re

import pytest

from cli.lazy_commands import SUMMARIES
from infra.config.settings import StackSettings
from reference import commands, config, markdown, messages
from reference.files import ROOT
from reference.messages import Message


@pytest.fixture(scope="session")
def told() -> list[Message]:
    return messages.messages()


def test_every_command_is_described() -> None:
    page = commands.content()
    assert {heading.split()[0] for heading in re.findall(r"^## (.*)$", page, re.MULTILINE)} == set(SUMMARIES)
    for sections in page.split("\n## ")[1:]:
        assert re.search(r"^```text\n\./dashtam .*\n```$", sections, re.MULTILINE)
        assert re.search(r"^```sh\n.*\./dashtam .*\n```$", sections, re.MULTILINE)


def test_an_option_is_told_as_the_help_tells_it() -> None:
    page = commands.content()
    assert "| `--no-install` | Install nothing on this machine; what is missing is an error. |" in page
    assert "--help" not in page


def test_every_key_is_described() -> None:
    page = config.content()
    assert re.findall(r"^## dashtam:(\w+)$", page, re.MULTILINE) == list(StackSettings.model_fields)
    assert "| `storage` | `volume` or `tmpfs` | `volume` |" in page
    assert "| `database` | 0 to 15 | `0` |" in page
    assert "| `user` | a name of 1 to 63" in page
    assert "| must be given |" in page


@pytest.mark.parametrize(
    ("kind", "part"),
    [
        ("UserError", "No Docker engine is running."),
        ("UserError", "Port {port}, which {stack} needs for {service}, is taken."),
        ("Finding", "Disk space"),
        ("ValueError", "a key is named twice; give each a name of its own, such as k1 and k2"),
    ],
)
def test_messages_are_told_with_their_parts(told: list[Message], kind: str, part: str) -> None:
    assert [one for one in told if one.kind == kind and part in one.parts]


def test_every_error_that_a_user_meets_is_told(told: list[Message]) -> None:
    written = "\n".join(path.read_text() for path in sorted((ROOT / "cli").rglob("*.py")))
    begun = set(re.findall(r'UserError\(\s*"([^"{\\]+)"', written))
    parts = {part for one in told for part in one.parts}
    assert len(begun) > 5
    assert [text for text in begun if not any(part.startswith(text) for part in parts)] == []


def test_a_table_holds_what_markdown_would_take_for_its_own() -> None:
    assert markdown.table(("a", "b"), [("x | y", "two\nlines")]) == "| a | b |\n| --- | --- |\n| x \\| y | two lines |"
    assert markdown.table(("a",), []) == ""
