"""The Markdown that the reference pages are written in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

NOTE = "<!-- Made by `python -m reference`. Don't edit: change what it follows from. -->"


def page(title: str, *parts: str) -> str:
    """Put a page together.

    Args:
        title: Its heading.
        parts: Paragraphs, tables and blocks; empty ones are left out.

    Returns:
        The page's text.
    """
    return "\n\n".join([f"# {title}", NOTE, *(part for part in parts if part)]) + "\n"


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table; nothing where there are no rows."""
    lines = [_row(row) for row in rows]
    return "\n".join([_row(headings), _row(["---"] * len(headings)), *lines]) if lines else ""


def block(language: str, text: str) -> str:
    """Return a block of code."""
    return f"```{language}\n{text}\n```"


def code(text: str) -> str:
    """Return code within a line."""
    return f"`{text}`"


def _row(cells: Sequence[str]) -> str:
    escaped = (" ".join(cell.split()).replace("|", r"\|") for cell in cells)
    return f"| {' | '.join(escaped)} |"
