"""The reference of the commands, from the commands themselves."""

from __future__ import annotations

import re
from collections.abc import Container, Iterator
from typing import TYPE_CHECKING

import typer

from cli.lazy_commands import PANELS, Commands
from reference.markdown import block, code, page, table

if TYPE_CHECKING:
    from typer._click.core import Command

PATH = "docs/reference/commands.md"
_EXAMPLE = re.compile(r"^Examples?: (.*)$", re.DOTALL)
_REQUIRED = re.compile(r"\s*\[required\]$")


def content() -> str:
    """Return the page."""
    commands = [one for name, command in Commands().items() for one in _each(name, command)]
    streams = (
        "Tables, files and JSON go to standard output. Progress, questions, errors and messages about a change that was"
        " made, such as the table at the end of `up`, go to standard error. See also [Exit codes](exit-codes.md),"
        " [JSON output](json.md) and [Environment variables](environment-variables.md)."
    )
    overview = (f"**{panel}**\n\n{_overview(commands, names)}" for panel, names in PANELS.items())
    return page("Commands", streams, *overview, *(_section(name, command) for name, command in commands))


def _overview(commands: list[tuple[str, Command]], names: Container[str]) -> str:
    return table(
        ("command", "what it does"),
        (
            [f"[{code(f'./dashtam {name}')}](#{_anchor(name)})", _first(command)]
            for name, command in commands
            if name.split()[0] in names
        ),
    )


def _each(name: str, command: Command) -> Iterator[tuple[str, Command]]:
    """Yield a command; of a group, each of its commands."""
    within = getattr(command, "commands", None)
    if within is None:
        yield name, command
        return
    for inner, one in within.items():
        yield from _each(f"{name} {inner}", one)


def _section(name: str, command: Command) -> str:
    context = typer.Context(command, info_name=f"./dashtam {name}")
    usage = command.get_usage(context).removeprefix("Usage: ").strip()
    text, example = _described(command)
    records = [record for param in command.get_params(context) if (record := param.get_help_record(context))]
    rows = [(code(left), _REQUIRED.sub("", right)) for left, right in records if not left.startswith("--help")]
    parts = [f"## {name}", text, block("text", usage), table(("argument or option", "what it is"), rows)]
    return "\n\n".join([*(part for part in parts if part), block("sh", example)])


def _described(command: Command) -> tuple[str, str]:
    """Tell a command's description from its example, which stands below the help or ends it."""
    paragraphs = [part for part in [*(command.help or "").split("\n\n"), command.epilog or ""] if part.strip()]
    examples = [match[1].strip() for part in paragraphs if (match := _EXAMPLE.match(part.strip()))]
    text = [" ".join(part.split()) for part in paragraphs if not _EXAMPLE.match(part.strip())]
    return "\n\n".join(text), "\n".join(examples)


def _first(command: Command) -> str:
    return re.split(r"(?<=\.)\s", _described(command)[0], maxsplit=1)[0]


def _anchor(name: str) -> str:
    return name.replace(" ", "-")
