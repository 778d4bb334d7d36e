from __future__ import annotations

import os
import signal
from contextlib import nullcontext
from typing import TYPE_CHECKING

import pytest

from cli.core import signals
from cli.operations.status import watch

if TYPE_CHECKING:
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
        watch.watch(look, everyone=False, named=False)
