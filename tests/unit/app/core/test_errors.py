from __future__ import annotations

from pathlib import Path

import pytest

from app.core import errors, revision


def _raised(code: str) -> Exception:
    try:
        exec(compile(code, "/elsewhere/x.py", "exec"), {})  # noqa: S102
    except Exception as error:
        return error
    raise AssertionError


@pytest.mark.parametrize(
    ("code", "described"),
    [
        ("\n1 / 0", "ZeroDivisionError: division by zero (/elsewhere/x.py, line 2)"),
        ("import app.nope", "ModuleNotFoundError: No module named 'app.nope' (/elsewhere/x.py, line 1)"),
        ("compile('\\n\\n1 +', 'a.py', 'exec')", "SyntaxError: invalid syntax (a.py, line 3)"),
    ],
)
def test_an_exception_is_described_by_type_text_file_and_line(code: str, described: str) -> None:
    assert errors.described(_raised(code)) == described


def test_of_all_frames_the_services_last_one_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(revision, "revisions", list)
    with pytest.raises(IndexError) as caught:
        revision.head_revision()
    assert f"({Path(revision.__file__)}, line " in errors.described(caught.value)


def test_an_exception_that_was_never_raised_has_no_place() -> None:
    assert errors.described(ValueError("x")) == "ValueError: x"
