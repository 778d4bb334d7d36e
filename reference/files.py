"""The files that are generated from the code, and which of them are stale."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

from reference import commands, config, config_schema, messages

ROOT = Path(__file__).resolve().parents[1]

FILES: Mapping[str, Callable[[], str]] = {
    config_schema.PATH: lambda: json.dumps(config_schema.schema(), indent=2) + "\n",
    commands.PATH: commands.content,
    config.PATH: config.content,
    messages.PATH: messages.content,
}
"""What makes each file's content, by its path from the project's root."""


def stale(root: Path = ROOT) -> list[str]:
    """Return the stale files, by their paths from the root."""
    return [path for path, content in FILES.items() if _text(root / path) != content()]


def write(root: Path = ROOT) -> list[str]:
    """Write the stale files, and return their paths from the root."""
    found = stale(root)
    for path in found:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(FILES[path]())
    return found


def _text(path: Path) -> str | None:
    return path.read_text() if path.exists() else None
