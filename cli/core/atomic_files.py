"""Writing so that nobody ever finds half of something."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


def write_whole(path: Path, text: str) -> None:
    """Write a file in one step, making its folder.

    Args:
        path: The file.
        text: Its new content.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}")
    part.write_text(text)
    part.replace(path)


@contextlib.contextmanager
def scratch_folder(parent: Path) -> Iterator[Path]:
    """Make a folder for work in progress, beside where its result goes, and remove it afterwards.

    Only one run at a time may use it for a parent: what a killed run left behind is removed first.

    Args:
        parent: Where to make it.

    Yields:
        The folder.
    """
    parent.mkdir(parents=True, exist_ok=True)
    for left in parent.glob(".part-*"):
        shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(dir=parent, prefix=".part-") as folder:
        yield Path(folder)
