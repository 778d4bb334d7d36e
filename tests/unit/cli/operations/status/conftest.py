from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from cli.operations.status.collect import Overview

MakeOverview = Callable[..., Overview]

NOTHING_UP = Overview(
    environment="test",
    owner="me",
    folder="/home/me/dashtam",
    services=[],
    images={"app": "dashtam/production:1"},
    expiry=None,
    drift=0,
    data=None,
)


@pytest.fixture
def overview() -> MakeOverview:
    """Returns an environment that is down, with what a test wants changed."""

    def make(**changes: object) -> Overview:
        return replace(NOTHING_UP, **changes)  # type: ignore[arg-type]

    return make
