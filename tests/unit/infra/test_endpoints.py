from __future__ import annotations

import pytest

from infra.endpoints import Endpoint


@pytest.mark.parametrize(
    ("published", "host", "browsers"),
    [(8001, "https://localhost:8001", "https://localhost:8001"), (None, None, "https://app:8000")],
)
def test_origins_follow_from_what_is_published(published: int | None, host: str | None, browsers: str) -> None:
    endpoint = Endpoint("app", 8000, published)
    assert endpoint.on_host == host
    assert endpoint.for_browsers == browsers
    assert endpoint.in_network == "https://app:8000"
