from __future__ import annotations

import pytest

from infra import origins


@pytest.mark.parametrize(
    ("published", "host", "browsers"),
    [(8001, "https://localhost:8001", "https://localhost:8001"), (None, None, "https://app:8000")],
)
def test_origins_follow_from_what_is_published(published: int | None, host: str | None, browsers: str) -> None:
    assert origins.on_host(published) == host
    assert origins.for_browsers("app", 8000, published) == browsers
    assert origins.in_network("app", 8000) == "https://app:8000"
