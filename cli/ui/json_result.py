"""How a command's result is printed for scripts."""

from __future__ import annotations

import json
from collections.abc import Mapping

import typer


def print_json(document: Mapping[str, object]) -> None:
    """Print a command's result: one object per call."""
    typer.echo(json.dumps(document, indent=2))
