from __future__ import annotations

import asyncpg  # type: ignore[import-untyped]
import pytest
from redis.exceptions import ResponseError

from app.core.dependency_errors import explain
from cli.core import remedies
from cli.core.remedies import REMEDIES, Remedy

MARKS = [(mark, one) for one in REMEDIES for mark in one.marks]


@pytest.mark.parametrize(("mark", "remedy"), MARKS)
def test_what_is_known_has_its_remedy(mark: str, remedy: Remedy) -> None:
    assert mark == mark.lower()
    assert remedies.find("boom", f"x {mark.upper()}x", images=True) == remedy
    assert remedies.known("boom", f"x {mark.upper()}x") == ("" if remedy.only_images else remedy.text)


@pytest.mark.parametrize(
    "error", [asyncpg.DiskFullError(), ResponseError("MISCONF Errors writing to the AOF file: No space left on device")]
)
def test_a_full_disk_in_the_services_words_has_its_remedy(error: Exception) -> None:
    assert remedies.known(explain(error).reason).startswith("Free some disk space")


def test_the_most_telling_counts() -> None:
    assert remedies.known("port is already allocated", "no space left on device").startswith("Another container")


def test_what_is_not_known_has_none() -> None:
    assert remedies.known("boom", "") == remedies.known() == ""
