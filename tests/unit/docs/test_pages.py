"""What the documentation says is there, and would work."""

from __future__ import annotations

import ast
import re
import subprocess
import tomllib
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml
from typer._click import Command
from typer._click.exceptions import UsageError
from typer.main import get_command

from cli.core.remedies import REMEDIES
from cli.lazy_commands import SUMMARIES
from cli.main import app
from reference.files import FILES
from reference.messages import FOLDERS, messages
from reference.source_text import SourceText
from tests.unit.docs.pages import DOCS, PAGES, ROOT, Page, commands

README = ROOT / "README.md"
CHANGELOG = ROOT / "CHANGELOG.md"
TROUBLE = Page(DOCS / "troubleshooting.md")
ALL = [*PAGES, README, ROOT / "CONTRIBUTING.md"]
INTERNAL = {"DASHTAM_MIRROR", "DASHTAM_OUTPUTS_FILE"}
"""Variables that one part of the project sets for another."""


@pytest.fixture(scope="session")
def program() -> Command:
    found = get_command(app)
    # Each is made when it is looked up, which is done some hundred times here.
    found.commands = dict(found.commands)  # type: ignore[attr-defined]
    return found


def parse(command: Command, arguments: Sequence[str]) -> None:
    """Take a command line as the program does, and run nothing of it."""
    context = command.make_context("dashtam", list(arguments))
    while (within := getattr(command, "commands", None)) is not None:
        name, *arguments = arguments
        assert name in within, name
        command = within[name]
        context = command.make_context(name, list(arguments), parent=context)


def refusal(command: Command, arguments: Sequence[str]) -> str:
    """Return why a command line is refused; nothing where it is accepted."""
    try:
        parse(command, arguments)
    except (AssertionError, UsageError) as error:
        return f"{type(error).__name__}: {error}"
    return ""


@pytest.mark.parametrize("path", ALL, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(path: Path) -> None:
    for link in Page(path).links():
        parts = urlsplit(link)
        if parts.scheme:
            continue
        target = (path.parent / parts.path).resolve() if parts.path else path
        assert target.exists(), link
        assert target.is_relative_to(ROOT), link
        if parts.fragment:
            assert parts.fragment in Page(target).anchors(), link


def test_every_page_is_reached_from_the_first() -> None:
    reached: set[Path] = set()
    waiting = [DOCS / "README.md"]
    while waiting:
        path = waiting.pop()
        reached.add(path)
        inner = {(path.parent / urlsplit(link).path).resolve() for link in Page(path).links() if "://" not in link}
        waiting += [page for page in inner - reached if page in PAGES]
    assert set(PAGES) == reached


def scripts() -> list[tuple[str, str]]:
    """Return every script of the documentation with its page."""
    return [(path.relative_to(ROOT).as_posix(), script) for path in ALL for script in Page(path).scripts()]


def test_scripts_are_shell() -> None:
    found = scripts()
    assert len(found) > 25
    wrong = [
        (page, said)
        for page, script in found
        if (
            said := subprocess.run(["bash", "-n"], input=script, capture_output=True, text=True, check=False)
        ).returncode
    ]
    assert wrong == []


def test_commands_parse(program: Command) -> None:
    lines = [(page, arguments) for page, script in scripts() for arguments in commands(script)]
    assert len(lines) > 100
    wrong = [(page, arguments, said) for page, arguments in lines if (said := refusal(program, arguments))]
    assert wrong == []


def test_commands_that_are_mentioned_are_there(program: Command) -> None:
    mentioned = [words for path in ALL for words in Page(path).mentions()]
    assert len(mentioned) > 10
    within = getattr(program, "commands")  # noqa: B009 - a click group, typed as a command
    assert [words for words in mentioned if words[0][0] not in "-{" and words[0].strip(";,") not in within] == []


@pytest.mark.parametrize("arguments", [["up"], ["nonsense"], ["status", "--bogus"], ["images", "source", "a", "b"]])
def test_a_command_that_is_wrong_would_be_found(program: Command, arguments: list[str]) -> None:
    assert refusal(program, arguments)


def test_the_commands_of_a_script_are_found() -> None:
    script = 'eval "$(./dashtam env)"; ./dashtam up dev --json | jq . && ./dashtam test unit -k "a b"\n# ./dashtam no'
    assert list(commands(script)) == [["env"], ["up", "dev", "--json"], ["test", "unit", "-k", "a b"]]


def printing_json(command: Command, name: str = "") -> Iterator[str]:
    """Yield the commands with the option --json."""
    for inner, one in getattr(command, "commands", {}).items():
        yield from printing_json(one, f"{name} {inner}".strip())
    if any("--json" in param.opts for param in command.params):
        yield name


def first_column(path: Path) -> set[str]:
    """Return the code in the first column of a page's tables."""
    rows = re.findall(r"^\| (`.*?) \|", path.read_text(), re.MULTILINE)
    return {word for row in rows for word in re.findall(r"`([^`]+)`", row)}


def test_the_json_page_names_every_command_that_prints_json(program: Command) -> None:
    found = set(printing_json(program))
    assert len(found) > 20
    assert found <= first_column(DOCS / "reference/json.md")


def test_the_page_of_variables_names_those_of_the_code() -> None:
    files = [path for folder in (*FOLDERS, "tests/e2e") for path in (ROOT / folder).rglob("*.py")]
    files += [ROOT / "dashtam", ROOT / "tests/conftest.py"]
    read = {name for path in files for name in re.findall(r"\bDASHTAM_[A-Z_]+\b", path.read_text())}
    named = {name for name in first_column(DOCS / "reference/environment-variables.md") if name.startswith("DASHTAM_")}
    assert named == read - INTERNAL


@pytest.mark.parametrize(("stack", "column"), [("dev", 2), ("test", 3)])
def test_the_readme_has_the_ports_of_the_config(stack: str, column: int) -> None:
    config = yaml.safe_load((ROOT / f"Pulumi.{stack}.yaml").read_text())["config"]
    rows = [line.split("|") for line in README.read_text().splitlines() if line.startswith("| ")]
    told = {row[1].strip().lower(): row[column].strip() for row in rows if len(row) > column + 1}
    for service in ("app", "callback", "sandbox", "postgresql", "redis"):
        port = config[f"dashtam:{service.removesuffix('ql')}"]["port"]
        assert told[service].endswith(f":{port}"), service


def test_the_readme_is_short() -> None:
    assert len(README.read_text().splitlines()) <= 150


def test_every_command_has_an_example_in_the_reference() -> None:
    reference = Page(DOCS / "reference/commands.md")
    assert len(reference.scripts()) == len(reference.headings(2))


def test_the_changelog_names_every_command() -> None:
    inline = [
        child for token in Page(CHANGELOG).tokens for child in token.children or [] if child.type == "code_inline"
    ]
    named = {word for one in inline for word in one.content.split()}
    assert SUMMARIES.keys() <= named, SUMMARIES.keys() - named


@cache
def said() -> set[str]:
    """Return every text of the code, with `{name}` for values."""
    texts: set[str] = set()
    for path in (path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py")):
        reader = SourceText(ast)
        nodes = ast.walk(ast.parse(path.read_text()))
        texts |= {reader.read(node) for node in nodes if isinstance(node, ast.JoinedStr | ast.Constant)}
    return texts


def test_what_the_troubleshooting_explains_is_said() -> None:
    marks = {mark for one in REMEDIES for mark in one.marks}
    told = {part for one in messages() for part in one.parts} | marks | said()
    explained = TROUBLE.headings(3)
    assert len(explained) > 25
    assert [heading for heading in explained if heading not in told] == []


def test_what_the_troubleshooting_quotes_is_said() -> None:
    texts = said()
    quotes = list(TROUBLE.quotes())
    assert len(quotes) == 5
    assert [quote for quote in quotes if quote not in texts] == []


def test_what_is_made_says_so() -> None:
    made = [ROOT / path for path in FILES if path.endswith(".md")]
    assert {path for path in PAGES if "Generated by `python -m reference`" in path.read_text()} == set(made)


@pytest.mark.parametrize("page", ["guides/tests.md", "guides/ide-debugger.md"])
def test_the_limit_of_a_test_is_the_one_that_is_set(page: str) -> None:
    options = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["pytest"]["ini_options"]
    assert f" {options['timeout']} seconds" in (DOCS / page).read_text()
