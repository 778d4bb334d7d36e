"""The lab, and in it one environment that all tests use."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.system.swarm import lab as labs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.system.swarm.lab import Lab


@pytest.fixture(scope="session")
def lab() -> Iterator[Lab]:
    """Three nodes; where this machine can't have them, the tests are skipped, and say why."""
    if reason := labs.obstacle():
        pytest.skip(reason)
    with labs.swarm() as made:
        yield made
