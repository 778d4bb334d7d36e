"""Clients of the running servers, which verify them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx2
import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.conftest import Endpoints


@pytest.fixture(scope="session")
def app(endpoints: Endpoints) -> Iterator[httpx2.Client]:
    """Client of the app."""
    with httpx2.Client(base_url=endpoints.app_url, verify=endpoints.tls(), trust_env=False) as client:
        yield client


@pytest.fixture(scope="session")
def callback(endpoints: Endpoints) -> Iterator[httpx2.Client]:
    """Client of the callback server."""
    with httpx2.Client(base_url=endpoints.callback_url, verify=endpoints.tls(), trust_env=False) as client:
        yield client
