"""Files that a user names for output: written whole or not at all, and an existing one only after a question.

A link is followed, a pipe or a device is written to directly, and a descriptor's name stands for that open file.
"""

from __future__ import annotations

import os
import re
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import typer

from cli.core import atomic_files
from cli.core.errors import UsageError, UserError
from cli.ui import questions
from cli.ui.console import announce

STREAM = "-"
"""Stands for standard output, or input, instead of a file."""

_DESCRIPTOR = re.compile(r"(?:/dev/fd|/proc/self/fd)/(\d+)")


def descriptor(file: str) -> int | None:
    """Return the descriptor that a name stands for; None where it is a path."""
    if file in {STREAM, "/dev/stdout"}:
        return sys.stdout.fileno()
    if file == "/dev/stderr":
        return sys.stderr.fileno()
    found = _DESCRIPTOR.fullmatch(file)
    return int(found[1]) if found else None


def ask(file: str, *, yes: bool, as_json: bool = False) -> None:
    """Make sure that a file can be written, and may be replaced where it exists."""
    if descriptor(file) is not None:
        return
    path = _real(file)
    if path.is_dir():
        raise _refusal(file, f"{path} is a folder.")
    if _is_special(path):
        return
    if not os.access(path.parent, os.W_OK | os.X_OK):
        missing = "does not exist" if not path.parent.exists() else "can't be written to"
        raise _refusal(file, f"The folder {path.parent} {missing}.")
    if path.exists() and not yes:
        questions.confirm(f"{file} exists. Replace it?", as_json=as_json)


@contextmanager
def opened(file: str, mode: int | None = None) -> Iterator[BinaryIO]:
    """Open a file to write; an existing one stays until the block ends well. Without a mode it keeps its own."""
    number = descriptor(file)
    if number is not None:
        # A duplicate, so that what can't be written isn't tried once more when the program ends.
        with os.fdopen(os.dup(number), "wb") as stream:
            yield stream
    elif _is_special(path := _real(file)):
        with os.fdopen(os.open(path, os.O_WRONLY), "wb", buffering=0) as special:
            yield special
    else:
        with atomic_files.replacing(path, mode) as draft:
            yield draft


def deliver(file: str, make: Callable[[], str], note: str, *, yes: bool) -> None:
    """Print a text, or write it to a file after a question, and announce the note."""
    if file == STREAM:
        typer.echo(make(), nl=False)
        return
    ask(file, yes=yes)
    text = make()
    try:
        with opened(file) as content:
            content.write(text.encode())
    except OSError as error:
        raise _refusal(file, str(error.strerror)) from None
    announce(note)


def _real(file: str) -> Path:
    return Path(os.path.realpath(file))


def _is_special(path: Path) -> bool:
    try:
        return not stat.S_ISREG(path.stat().st_mode)
    except OSError:
        return False


def _refusal(file: str, cause: str) -> UserError:
    return UsageError(f"{file} can't be written.", cause=cause, remedy="Name another file.")
