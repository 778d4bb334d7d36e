"""The order of tests: those of changed files first, so that what an edit broke shows soon, then the longest files."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Collection
from pathlib import PurePosixPath

import pytest

from tests import durations

CHANGED = "changed_files"
"""The key that workers find the changed files by: each must put all tests into the same order."""


def changed_files() -> list[str]:
    """Return the files that differ from the last commit, relative to the project's root; none where git isn't there."""
    command = ["git", "ls-files", "--modified", "--others", "--exclude-standard", "--deduplicate"]
    try:
        listed = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return []
    return listed.stdout.splitlines()


def distances(changed: Collection[str]) -> Callable[[str], int]:
    """Return how far a file of tests is from what changed: 0 for its own, 1 in the same folder, 2 for all others."""
    sources = [PurePosixPath(path) for path in changed]
    mirrored = {path for source in sources for path in _tests_of(source)}
    own, folders = {*sources, *mirrored}, {path.parent for path in mirrored}

    def distance(file: str) -> int:
        test = PurePosixPath(file)
        return 0 if test in own else 1 if test.parent in folders else 2

    return distance


def _tests_of(source: PurePosixPath) -> list[PurePosixPath]:
    """Return where the tests of a file are, in the suites that mirror the source."""
    return [PurePosixPath("tests", suite, source.with_name(f"test_{source.name}")) for suite in ("unit", "processes")]


class Order:
    """A plugin of pytest that puts tests into this order.

    Args:
        config: Of the process that collects tests.
    """

    def __init__(self, config: pytest.Config) -> None:
        inherited = getattr(config, "workerinput", {})
        self._changed: list[str] = inherited[CHANGED] if CHANGED in inherited else changed_files()

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: object) -> None:
        """Tell a worker what changed."""
        node.workerinput[CHANGED] = self._changed  # type: ignore[attr-defined]

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Sort tests; of files as near to a change the longest come first, so that no worker is left with one."""
        distance, known = distances(self._changed), durations.read()
        files = {durations.file_of(item.nodeid) for item in items}
        rank = {file: (distance(file), -known.get(file, durations.UNKNOWN)) for file in files}
        items.sort(key=lambda item: rank[durations.file_of(item.nodeid)])
