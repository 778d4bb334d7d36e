from __future__ import annotations

import pytest

from cli.ui.work import Steps


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_each_step_says_what_it_is_how_far_and_how_long() -> None:
    lines: list[str] = []
    clock = Clock()
    steps = Steps(2, lines.append, clock)
    with steps.step("one"):
        clock.now = 12
    with steps.step("two"):
        pass
    assert lines == [
        "Images 1/2: one",
        "Images 1/2: one: done in 12 s",
        "Images 2/2: two",
        "Images 2/2: two: done in 0 s",
    ]


@pytest.mark.parametrize(
    ("news", "shown"),
    [("Unpacking\n", "Unpacking"), ("a\r\nb\n\n", "b"), ("  \n", "working"), ("x" * 300, "x" * 100)],
)
def test_one_sign_of_life_in_five_seconds(news: str, shown: str) -> None:
    lines: list[str] = []
    clock = Clock()
    with Steps(1, lines.append, clock).step("one") as tick:
        for clock.now in (1, 4.9, 5, 6, 9.9):
            tick(news)
    assert lines[1:-1] == [f"Images 1/1: one: 5 s: {shown}"]


def test_a_step_that_fails_is_not_called_done() -> None:
    lines: list[str] = []
    with pytest.raises(RuntimeError), Steps(1, lines.append).step("one"):
        raise RuntimeError
    assert lines == ["Images 1/1: one"]
