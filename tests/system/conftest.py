"""What tests of commands and of environments share: the engine, and one copy of this checkout for each worker."""

from __future__ import annotations

import os
from collections.abc import Iterator

import docker
import pytest

from infra.engine import client_of
from tests.system import checkout as checkouts
from tests.system.checkout import Checkout


@pytest.fixture(scope="session")
def client() -> Iterator[docker.DockerClient]:
    made = client_of(os.environ)
    yield made
    made.close()


@pytest.fixture(scope="session")
def checkout(client: docker.DockerClient, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    """A copy of this checkout, whose environment is up, and is removed at the end whatever happened."""
    with checkouts.brought_up(client, tmp_path_factory.mktemp("checkout")) as made:
        yield made
