from __future__ import annotations

import pytest

from infra.targets.rollout import duration


@pytest.mark.parametrize(
    ("length", "text"),
    [
        *((0.25, "250ms"), (10, "10s"), (60, "1m"), (90, "1m30s"), (600, "10m")),
        *((3600, "1h"), (3610, "1h0m10s"), (4200, "1h10m"), (36_000, "10h")),
    ],
)
def test_durations_are_written_as_the_plugin_shortens_them(length: float, text: str) -> None:
    assert duration(length) == text
