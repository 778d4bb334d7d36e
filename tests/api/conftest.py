"""Clients of the running servers, which verify them."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import httpx2
import pytest

from tests.api.person import TIMEOUT, Person, visiting
from tests.conftest import reached_urls, unavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from infra.outputs import StackOutputs
    from tests.conftest import Endpoints


@pytest.fixture(scope="session")
def app(endpoints: Endpoints) -> Iterator[httpx2.Client]:
    """Client of the app."""
    with httpx2.Client(base_url=endpoints.app_url, verify=endpoints.tls(), trust_env=False, timeout=TIMEOUT) as client:
        yield client


@pytest.fixture(scope="session")
def callback(endpoints: Endpoints) -> Iterator[httpx2.Client]:
    """Client of the callback server."""
    with httpx2.Client(
        base_url=endpoints.callback_url, verify=endpoints.tls(), trust_env=False, timeout=TIMEOUT
    ) as client:
        yield client


@pytest.fixture
def sandbox(outputs: StackOutputs) -> None:
    """Skip what needs the provider of the environment's own."""
    if reached_urls(outputs).sandbox is None:
        unavailable(f"{outputs.environment} has no sandbox, or doesn't publish it: dashtam:sandbox")


@pytest.fixture
def new_person(endpoints: Endpoints) -> Iterator[Callable[[], Person]]:
    """People with browsers of their own, at the origin that the app's pages belong to."""
    with ExitStack() as stack:
        yield lambda: stack.enter_context(visiting(endpoints))


@pytest.fixture
def person(new_person: Callable[[], Person]) -> Person:
    """One of them."""
    return new_person()
