"""Text as the code makes it, with names in the place of values."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from types import ModuleType

GAP = "…"
"""Stands for what only the running program knows."""


@dataclass(frozen=True)
class SourceText:
    """Reads the text that expressions of a function make."""

    module: ModuleType
    assigned: tuple[tuple[str, ast.expr], ...] = ()

    def within(self, function: ast.FunctionDef) -> SourceText:
        """Return the reader of a function's expressions."""
        found = [
            (node.targets[0].id, node.value)
            for node in ast.walk(function)
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
        ]
        return SourceText(self.module, tuple(sorted(found, key=lambda one: one[1].lineno)))

    def read(self, node: ast.expr | None) -> str:  # noqa: PLR0911 - a kind of expression each
        """Return an expression's text: `a / b` for alternatives, `{name}` for a value, `GAP` for the unknown."""
        match node:
            case None:
                return ""
            case ast.Constant(value=str(text)):
                return text
            case ast.JoinedStr(values=parts):
                return "".join(self.read(part) for part in parts)
            case ast.FormattedValue(value=value):
                return self._value(value)
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                return self.read(left) + self.read(right)
            case ast.IfExp(body=first, orelse=second) | ast.BoolOp(values=[first, second]):
                return " / ".join(part for part in (self.read(first), self.read(second)) if part)
            case ast.Name():
                return self._named(node) or GAP
        return GAP

    def _value(self, node: ast.expr) -> str:
        match node:
            case ast.Name(id=name):
                return self._named(node) or _gap(name)
            case ast.Attribute(value=ast.Name(id="environment"), attr="name"):
                return _gap("environment")
            case ast.Attribute(attr=name):
                return _gap(name)
            case ast.BinOp(left=left, op=ast.Div() | ast.Mult()):
                return self._value(left)
            case ast.Call(func=ast.Attribute(value=ast.Constant()), args=[ast.Name(id=name)]):
                return _gap(name)  # a list, joined
        text = self.read(node)
        return text if text.strip(GAP + " /") else GAP

    def _named(self, node: ast.Name) -> str:
        """Return what a name stands for; nothing where that is a value."""
        before = tuple((name, value) for name, value in self.assigned if value.lineno < node.lineno)
        for at, (name, value) in reversed(list(enumerate(before))):
            if name == node.id:
                text = SourceText(self.module, before[:at]).read(value)
                return text if text.strip(GAP + " /") else ""
        constant = getattr(self.module, node.id, None)
        return constant if isinstance(constant, str) else ""


def _gap(name: str) -> str:
    return f"{{{name.strip('_').lower().replace('_', ' ')}}}"
