from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING

import pytest

from app.run import debugger
from app.run.reload import SOURCE, is_source

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("main.py", True),
        ("http/static/style.css", True),
        ("http/static/icon.svg", True),
        ("linking/templates/index.html", True),
        ("core/migrations/script.py.mako", True),
        ("__pycache__/main.cpython-313.pyc", False),
        ("__pycache__/main.cpython-313.pyc.140233", False),
        ("http/static/.style.css.swp", False),
        ("http/static/style.css~", False),
        ("http/static/#style.css#", False),
        ("http/static/4913", False),
        (".idea/workspace.xml", False),
    ],
)
def test_every_file_that_a_server_may_read_is_watched(name: str, read: bool) -> None:
    assert is_source(SOURCE / name) is read


@pytest.fixture
def attempts(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], list[tuple[str, int]]]:
    """Have a debugger whose port the process before releases only after some attempts; return those."""

    def given(failures: int) -> list[tuple[str, int]]:
        made: list[tuple[str, int]] = []

        def listen(address: tuple[str, int]) -> None:
            made.append(address)
            if len(made) <= failures:
                raise RuntimeError("address already in use")

        module = ModuleType("debugpy")
        module.listen = listen  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "debugpy", module)
        monkeypatch.setattr(debugger, "PAUSE", 0)
        return made

    return given


def test_no_debugger_is_listened_for_unasked(
    monkeypatch: pytest.MonkeyPatch, attempts: Callable[[int], list[tuple[str, int]]]
) -> None:
    monkeypatch.delenv("DEBUGGER_PORT", raising=False)
    made = attempts(0)
    debugger.listen()
    assert made == []


def test_the_port_of_the_process_before_is_waited_for(
    monkeypatch: pytest.MonkeyPatch, attempts: Callable[[int], list[tuple[str, int]]]
) -> None:
    monkeypatch.setenv("DEBUGGER_PORT", "5678")
    made = attempts(2)
    debugger.listen()
    assert made == [("0.0.0.0", 5678)] * 3


def test_a_server_without_its_debugger_still_serves(
    monkeypatch: pytest.MonkeyPatch,
    attempts: Callable[[int], list[tuple[str, int]]],
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setenv("DEBUGGER_PORT", "5678")
    monkeypatch.setattr(debugger, "SECONDS", -1)
    made = attempts(9)
    debugger.listen()
    assert len(made) == 1
    assert "No debugger can attach: address already in use" in caplog.text
