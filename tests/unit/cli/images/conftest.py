from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def _homes(own_homes: None) -> None:
    """Every test here has homes of its own."""
