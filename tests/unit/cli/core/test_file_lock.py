from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest
from filelock import Timeout

from cli.core.file_lock import exclusively

if TYPE_CHECKING:
    from pathlib import Path


def test_the_second_waits_and_announces_it(tmp_path: Path) -> None:
    path, announced, order = tmp_path / "a" / "lock", threading.Event(), []

    def announce(line: str) -> None:
        order.append(line)
        announced.set()

    def second() -> None:
        with exclusively(path, "waiting", announce):
            order.append("second")

    thread = threading.Thread(target=second)
    with exclusively(path, "waiting", pytest.fail):
        thread.start()
        assert announced.wait(10)
        order.append("first")
    thread.join(10)
    assert order == ["waiting", "first", "second"]


def test_the_same_thread_may_take_it_again(tmp_path: Path) -> None:
    with exclusively(tmp_path / "lock", "waiting", pytest.fail), exclusively(tmp_path / "lock", "waiting", pytest.fail):
        pass


def test_a_lock_that_is_not_free_in_time_is_an_error(tmp_path: Path) -> None:
    failures: list[BaseException] = []

    def second() -> None:
        try:
            with exclusively(tmp_path / "lock", "waiting", lambda _: None, seconds=0.1):
                pass
        except Timeout as error:
            failures.append(error)

    with exclusively(tmp_path / "lock", "waiting", pytest.fail):
        thread = threading.Thread(target=second)
        thread.start()
        thread.join(10)
    assert len(failures) == 1
