"""The reference of error messages, read from the code that raises them."""

from __future__ import annotations

import ast
import functools
import importlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from infra.config import values
from reference.markdown import page, table
from reference.source_text import GAP, SourceText

PATH = "docs/reference/messages.md"
ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ("cli", "infra")
SHOWN: dict[str, tuple[int | str, ...]] = {
    "UserError": (0, "cause", "remedy"),
    "UsageError": (0, "cause", "remedy"),
    "explain_failure": (0, "cause", 1),
    "RefusedError": (0, "cause", "remedy"),
    "NotBegunError": (0, "cause", "remedy"),
    "Finding": (0, "cause", "remedy"),
    "EngineError": (0,),
}
"""What shows a user a failure, and which of its arguments hold the text."""
COMMANDS = ("UserError", "UsageError", "explain_failure", "RefusedError", "NotBegunError")
"""What commands show; the others have tables of their own."""
REFUSED: dict[str, tuple[int | str, ...]] = {"ValueError": (0,)}
CONFIG = (
    "infra/naming.py",
    "infra/config/providers.py",
    "infra/config/sections.py",
    "infra/config/settings.py",
)
"""Where a ValueError, or a text that is yielded, is about a value in the config."""


@dataclass(frozen=True)
class Message:
    """The message of one failure.

    Args:
        kind: What raises it: `UserError` and so on.
        parts: The message, its cause and its remedy; empty where it has none.
    """

    kind: str
    parts: tuple[str, ...]


def content() -> str:
    """Return the page."""
    found = messages()
    return page(
        "Messages",
        f"Error messages, from the code. `{{name}}` stands for a value, `/` separates alternatives, and {GAP} is the"
        " output of another program, or depends on the machine. [Troubleshooting](../troubleshooting.md) explains the"
        " common ones.",
        "## Commands",
        table(("message", "cause", "remedy"), _rows(found, *COMMANDS)),
        "## Plain Pulumi",
        table(("message",), _rows(found, "EngineError")),
        "## Doctor",
        table(("check", "cause", "remedy"), _rows(found, "Finding")),
        "## Values of a stack's config",
        "Each is printed after its key and value.",
        table(("message",), [*_forms(), *_rows(found, "ValueError")]),
    )


@functools.cache
def messages() -> list[Message]:
    """Return every message once, in the order of the files."""
    files = sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py") if path.stem[0] != "_")
    return list(dict.fromkeys(one for path in files for one in _of_file(path)))


def _rows(found: list[Message], *kinds: str) -> list[tuple[str, ...]]:
    return [one.parts for one in found if one.kind in kinds]


def _forms() -> list[tuple[str, ...]]:
    """Return the messages for texts that don't have the form of their kind."""
    marks = (mark for kind in vars(values).values() for mark in get_args(kind))
    return [(f"it must be {one.form}; {one.hint}",) for one in marks if isinstance(one, values.Pattern)]


def _of_file(path: Path) -> Iterator[Message]:
    source = path.relative_to(ROOT).as_posix()
    text = path.read_text()
    wanted = SHOWN | REFUSED if source in CONFIG else SHOWN
    if source not in CONFIG and not any(f"{name}(" in text for name in wanted):
        return
    reader = SourceText(importlib.import_module(source.removesuffix(".py").replace("/", ".")))
    for function in (node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef)):
        scope = reader.within(function)
        for one in (node for node in ast.walk(function) if isinstance(node, ast.Yield) and source in CONFIG):
            yield Message("ValueError", (scope.read(one.value),))
        for call in (node for node in ast.walk(function) if isinstance(node, ast.Call)):
            name = call.func.id if isinstance(call.func, ast.Name) else ""
            parts = tuple(scope.read(_argument(call, which)).strip() for which in wanted.get(name, ()))
            if any(part.strip(GAP) for part in parts[:2]) and _tells_a_failure(call):
                yield Message(name, parts)


def _argument(call: ast.Call, which: int | str) -> ast.expr | None:
    if isinstance(which, int):
        return call.args[which] if len(call.args) > which else None
    return next((one.value for one in call.keywords if one.arg == which), None)


def _tells_a_failure(call: ast.Call) -> bool:
    """Leave out findings that all is well."""
    well = _argument(call, "ok")
    return not (isinstance(well, ast.Constant) and well.value is True)
