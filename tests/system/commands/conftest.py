"""The environment that the commands are tried on: a copy of dev under another name, with ports of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import docker
import pytest

from tests.system import checkout as checkouts
from tests.system import environments
from tests.system.checkout import Checkout
from tests.system.commands.contents import Contents

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Don't count towards a test's time what brings environments up: those commands have limits of their own."""
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.timeout(func_only=True))


@pytest.fixture(scope="session")
def spare(client: docker.DockerClient, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    """A second copy, whose environment tests may take apart; each brings it up first."""
    with checkouts.brought_up(client, tmp_path_factory.mktemp("spare")) as made:
        yield made


@pytest.fixture(scope="session")
def contents(checkout: Checkout, client: docker.DockerClient, tmp_path_factory: pytest.TempPathFactory) -> Contents:
    """What the environment keeps."""
    return Contents(checkout, client, tmp_path_factory.mktemp("contents"), checkout.stack)


@pytest.fixture(autouse=True)
def whole(request: pytest.FixtureRequest, client: docker.DockerClient) -> None:
    """Bring the environment up again where a test before this one failed and left it otherwise."""
    if "checkout" in request.fixturenames:
        made: Checkout = request.getfixturevalue("checkout")
        if not environments.is_up(client, made.stack):
            made.configure()
            made.up()
