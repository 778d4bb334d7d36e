from __future__ import annotations

from pathlib import Path

import pytest

from app.core import revision
from app.core.errors import MigrationError


def _files(folder: Path, *names: str) -> None:
    (folder / "versions").mkdir()
    for name in names:
        (folder / "versions" / name).touch()


@pytest.fixture(autouse=True)
def _elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(revision, "MIGRATIONS", tmp_path)


def test_revisions_are_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    _files(tmp_path, "00060a1b2c_b.py", "0004_a_b.py", "0005f1b2c3_add_a_column.py", "0010000000_c.py")
    assert revision.revisions() == ["0004", "0005f1b2c3", "00060a1b2c", "0010000000"]
    assert revision.head_revision() == "0010000000"


@pytest.mark.parametrize("later", [(), ("0006dddddd_later.py",)])
def test_two_of_the_same_number_have_a_remedy(tmp_path: Path, later: tuple[str, ...]) -> None:
    _files(tmp_path, "0004_a.py", "0005bbbbbb_b.py", "0005cccccc_c.py", *later)
    with pytest.raises(MigrationError, match="0005bbbbbb and 0005cccccc have the same number") as raised:
        revision.head_revision()
    assert f"replace its number with {'0007' if later else '0006'} in the name of its file" in str(raised.value)


@pytest.mark.parametrize(
    ("before", "number"), [(None, "0001"), ("0004", "0005"), ("0009fe1234", "0010"), ("0099", "0100")]
)
def test_the_next_number_follows_the_one_before(before: str | None, number: str) -> None:
    assert revision.next_number(before) == number
