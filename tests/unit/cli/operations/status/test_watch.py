from __future__ import annotations

import os
import signal
from contextlib import nullcontext
from functools import partial
from io import StringIO
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest
from rich.console import Console

from cli.core import signals
from cli.operations.status import watch

if TYPE_CHECKING:
    from collections.abc import Callable

    from cli.operations.status.collect import Overview


@pytest.mark.parametrize(
    ("number", "end"),
    [(signal.SIGINT, None), (signal.SIGTERM, KeyboardInterrupt), (signal.SIGHUP, KeyboardInterrupt)],
)
def test_a_ctrl_c_is_its_ordinary_end(number: int, end: type[BaseException] | None) -> None:
    def look() -> list[Overview]:
        os.kill(os.getpid(), number)
        return []

    with signals.raised(), pytest.raises(end) if end else nullcontext():
        watch.watch(look, str)


def _overviews(monkeypatch: pytest.MonkeyPatch, *states: str) -> Callable[[], list[Overview]]:
    """Return what looks at a service once in each state, the empty one without it, and is interrupted then."""
    monkeypatch.setattr(watch, "WATCH_SECONDS", 0)
    service = partial(SimpleNamespace, name="dashtam-dev-app", health="")
    found = iter([[SimpleNamespace(services=[service(state=one)] if one else [])] for one in states])

    def look() -> list[Overview]:
        for one in found:
            return cast("list[Overview]", one)
        raise KeyboardInterrupt

    return look


def test_without_a_terminal_each_change_is_a_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    look = _overviews(monkeypatch, "running", "running", "", "", "created")
    with pytest.raises(KeyboardInterrupt):
        watch.watch(look, str)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(" ", 1)[1] for line in lines] == [
        "dashtam-dev-app running",
        "dashtam-dev-app removed",
        "dashtam-dev-app created",
    ]


def test_a_terminal_shows_each_look_as_it_is_rendered(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Console(file=StringIO(), force_terminal=True)
    monkeypatch.setattr(watch, "out", terminal)
    with pytest.raises(KeyboardInterrupt):
        watch.watch(_overviews(monkeypatch, "running", "paused"), lambda found: f"It is {found[0].services[0].state}")
    shown = cast("StringIO", terminal.file).getvalue()
    assert shown.index("It is running") < shown.index("It is paused")
