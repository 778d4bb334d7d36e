from __future__ import annotations

import ast
from types import ModuleType

import pytest

from reference.source_text import GAP, SourceText

MODULE = ModuleType("module")
MODULE._SETUP = "Run setup."  # type: ignore[attr-defined]

FUNCTION = """
def fail(name, lock, ports, done):
    what = f"The {name}"
    cause = "first"
    use(cause)
    cause = "second" if done else "third"
    both = cause + "."
    said = done.stderr
    return TEXT
"""


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        ("'plain'", "plain"),
        ("f'{name} is not up'", "{name} is not up"),
        ("f'{name!r} is not up'", "{name} is not up"),
        ("f'{lock.path} of {ports}'", "{path} of {ports}"),
        ("f'{environment.name} is not up'", "{environment} is not up"),
        ("f'{what} is taken.'", "The {name} is taken."),
        ("'a ' + 'b'", "a b"),
        ("'one' if done else 'two'", "one / two"),
        ("f\"x{' in ' + name if done else ''}.\"", "x in ….".replace("…", GAP)),
        ("name or 'else'", f"{GAP} / else"),
        ("f'{lock.wait / 60:.0f} minutes'", "{wait} minutes"),
        ("f\"one of {', '.join(ports)}\"", "one of {ports}"),
        ("both", "second / third."),
        ("_SETUP", "Run setup."),
        ("f'{_SETUP} Again.'", "Run setup. Again."),
        ("said", GAP),
        ("f'{said}'", "{said}"),
        ("str(done)", GAP),
    ],
)
def test_an_expression_is_read(expression: str, text: str) -> None:
    function = ast.parse(FUNCTION.replace("TEXT", expression)).body[0]
    assert isinstance(function, ast.FunctionDef)
    returned = function.body[-1]
    assert isinstance(returned, ast.Return)
    assert SourceText(MODULE).within(function).read(returned.value) == text


def test_what_was_assigned_later_is_not_meant() -> None:
    source = (
        "def fail(a):\n    if a:\n        why = 'one'\n        return f'{why}'\n    why = 'two'\n    return f'{why}'"
    )
    function = ast.parse(source).body[0]
    assert isinstance(function, ast.FunctionDef)
    scope = SourceText(MODULE).within(function)
    returned = [node.value for node in ast.walk(function) if isinstance(node, ast.Return)]
    assert sorted(scope.read(value) for value in returned) == ["one", "two"]


def test_no_expression_is_no_text() -> None:
    assert SourceText(MODULE).read(None) == ""
