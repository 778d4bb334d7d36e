from __future__ import annotations

import re
import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from unittest.mock import Mock

import pytest

from cli.core import signals
from cli.core.errors import UserError
from cli.operations.update import watcher
from cli.operations.update.run import Updates
from cli.pulumi.update import Event


@dataclass(frozen=True)
class Callbacks:
    """What an update is given."""

    on_event: Callable[[Event], None]
    must_end: Callable[[], bool]


Work = Callable[[str, Callbacks], bool]


Command = Literal["up", "down", "destroy"]

CONFIG = """\
config:
  dashtam:postgres: {database: d, user: u}
  dashtam:app: {oauth_redirect_uri: "https://127.0.0.1:8182"}
"""


class FakePulumi:
    """Runs a test's function, of the environment and the callbacks, as each update."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self.asked: list[tuple[str, ...]] = []

    def update(self, *words: str, on_event: Callable[[Event], None], must_end: Callable[[], bool], host: None) -> bool:
        assert host is None
        self.asked.append(words)
        return self._work(words[1], Callbacks(on_event, must_end))


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., FakePulumi]:
    """Run updates of dev and test that go as told."""
    view = Mock()
    view.return_value.summaries.return_value = []
    monkeypatch.setattr(watcher, "EngineView", view)
    for stack in ("dev", "test"):
        (tmp_path / f"Pulumi.{stack}.yaml").write_text(CONFIG)

    def start(work: Work, *, timeout: float | None = None, command: Command = "up") -> FakePulumi:
        pulumi = FakePulumi(work)
        Updates(Mock(pulumi=pulumi, clone=Mock(root=tmp_path)), command, timeout).run(
            {"dev": ["--refresh"], "test": []}
        )
        return pulumi

    return start


@pytest.mark.parametrize(("command", "pulumis"), [("up", "up"), ("down", "destroy"), ("destroy", "destroy")])
def test_all_are_updated(run: Callable[..., FakePulumi], command: str, pulumis: str) -> None:
    pulumi = run(lambda _, __: True, command=command)
    assert sorted(pulumi.asked) == [(pulumis, "dev", "--refresh"), (pulumis, "test")]


@pytest.mark.parametrize("command", ["up", "down", "destroy"])
def test_what_fails_is_to_be_run_again(run: Callable[..., FakePulumi], command: str) -> None:
    with pytest.raises(UserError) as raised:
        run(lambda stack, _: stack == "test", command=command)
    assert f"`./dashtam {command} dev`" in raised.value.remedy


def test_they_run_at_the_same_time(run: Callable[..., FakePulumi]) -> None:
    both = threading.Barrier(2, timeout=10)
    run(lambda _, __: both.wait() >= 0)
    assert not both.broken


def test_one_that_fails_is_told_and_the_other_ends(run: Callable[..., FakePulumi]) -> None:
    ended: list[str] = []

    def work(stack: str, callbacks: Callbacks) -> bool:
        if stack == "dev":
            callbacks.on_event({"diagnosticEvent": {"severity": "error", "message": "boom"}})
            return False
        ended.append(stack)
        return True

    with pytest.raises(UserError, match="dev did not become healthy") as raised:
        run(work)
    assert raised.value.cause == "boom"
    assert ended == ["test"]


def test_when_all_fail_each_is_told(run: Callable[..., FakePulumi]) -> None:
    def work(stack: str, callbacks: Callbacks) -> bool:
        callbacks.on_event({"diagnosticEvent": {"severity": "error", "message": f"{stack} went wrong"}})
        return False

    with pytest.raises(UserError, match="2 environments failed") as raised:
        run(work)
    for stack in ("dev", "test"):
        assert f"{stack} did not become healthy." in raised.value.cause
        assert f"{stack} went wrong" in raised.value.cause


@pytest.mark.parametrize(
    ("faults", "remedy"),
    [
        ({"dev": "dpkg was interrupted", "test": "dpkg was interrupted"}, "^Run `sudo dpkg"),
        ({"dev": "dpkg was interrupted", "test": "is another postmaster"}, r"^dev: Run `sudo dpkg .*\ntest: Another"),
    ],
)
def test_when_all_fail_remedies_are_not_hidden_in_the_cause(
    run: Callable[..., FakePulumi], faults: dict[str, str], remedy: str
) -> None:
    def work(stack: str, callbacks: Callbacks) -> bool:
        callbacks.on_event({"diagnosticEvent": {"severity": "error", "message": faults[stack]}})
        return False

    with pytest.raises(UserError, match="2 environments failed") as raised:
        run(work)
    assert re.search(remedy, raised.value.remedy)
    assert "Run `sudo" not in raised.value.cause


@pytest.mark.parametrize("number", signals.NUMBERS)
def test_a_signal_interrupts_the_updates(run: Callable[..., FakePulumi], number: int) -> None:
    waiting = threading.Event()

    def work(stack: str, callbacks: Callbacks) -> bool:
        if stack == "dev":
            signal.pthread_kill(threading.get_ident(), number)  # wakes no other thread
        while not callbacks.must_end():
            waiting.wait(0.01)
        return False

    with signals.raised():
        with pytest.raises(KeyboardInterrupt):
            run(work)
        assert signals.status() == 128 + number


def test_an_interrupt_is_no_failure(run: Callable[..., FakePulumi]) -> None:
    def work(_stack: str, _callbacks: Callbacks) -> bool:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(work)


def test_what_is_not_done_in_time_is_ended_and_told(run: Callable[..., FakePulumi]) -> None:
    waiting = threading.Event()

    def work(_stack: str, callbacks: Callbacks) -> bool:
        while not callbacks.must_end():
            waiting.wait(0.01)
        return False

    with pytest.raises(UserError) as raised:
        run(work, timeout=0.05)
    assert "not done within 0.05 s (--wait-timeout)" in raised.value.cause
