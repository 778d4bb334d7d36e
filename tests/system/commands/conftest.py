"""The environment that the commands are tried on: a copy of dev under another name, with ports of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import docker
import pytest

from tests.system.checkout import Checkout
from tests.system.commands.additional import beside
from tests.system.commands.contents import Contents

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Don't count towards a test's time what brings environments up: those commands have limits of their own."""
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.timeout(func_only=True))


@pytest.fixture(scope="session")
def contents(checkout: Checkout, client: docker.DockerClient, tmp_path_factory: pytest.TempPathFactory) -> Contents:
    """What the environment keeps."""
    return Contents(checkout, client, tmp_path_factory.mktemp("contents"), checkout.stack)


@pytest.fixture(scope="session")
def small(checkout: Checkout, client: docker.DockerClient) -> Iterator[Checkout]:
    """An environment beside the first with data and no service: it comes up in a third of the processor's time.

    Fixtures of a wider scope than a test call `ensure_up`, as `whole` does for tests: others remove it.
    """
    with beside(checkout, client, "small", "postgres", "redis") as made:
        made.up()
        yield made


@pytest.fixture(scope="session")
def small_contents(small: Checkout, client: docker.DockerClient, tmp_path_factory: pytest.TempPathFactory) -> Contents:
    """What that environment keeps."""
    return Contents(small, client, tmp_path_factory.mktemp("small"), small.stack)


@pytest.fixture(autouse=True)
def whole(request: pytest.FixtureRequest, client: docker.DockerClient) -> None:
    """Bring environments up again where a test before this one removed them, or failed and left them otherwise."""
    for name in {"checkout", "small"} & {*request.fixturenames}:
        made: Checkout = request.getfixturevalue(name)
        made.ensure_up(client)
