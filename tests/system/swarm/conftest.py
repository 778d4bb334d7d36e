"""The lab, and in it one environment that all tests use."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.system.swarm import lab as labs
from tests.system.swarm import staging as environments
from tests.system.swarm.load import Target

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.system.checkout import Checkout
    from tests.system.swarm.lab import Lab
    from tests.system.swarm.staging import Staging


HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Don't count towards a test's time what makes the lab and brings the environment up."""
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.timeout(func_only=True))


@pytest.fixture(scope="session")
def lab() -> Iterator[Lab]:
    """Three nodes; where this machine can't have them, the tests are skipped, and say why."""
    if reason := labs.obstacle():
        pytest.skip(reason)
    with labs.swarm() as made:
        yield made


@pytest.fixture(scope="session")
def images(lab: Lab) -> str:
    """Where the images come from that all nodes have."""
    return environments.prepare(lab)


@pytest.fixture(scope="session")
def checkout(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """A copy of this checkout."""
    del lab  # without one nothing is copied
    return environments.copy(tmp_path_factory.mktemp("checkout"))


@pytest.fixture(scope="session")
def brought_up(lab: Lab, checkout: Checkout, images: str) -> Iterator[Staging]:
    with environments.environment(lab, checkout, images) as made:
        yield made


@pytest.fixture
def staging(brought_up: Staging) -> Staging:
    """The environment, with all of its replicas, as its config was at first."""
    brought_up.configure()
    brought_up.up()
    brought_up.settle()
    return brought_up


@pytest.fixture
def target(staging: Staging, tmp_path_factory: pytest.TempPathFactory) -> Target:
    """Its edge on all nodes, as people use it."""
    ca_file = tmp_path_factory.mktemp("ca") / "ca.crt"
    ca_file.write_text(staging.outputs()["ca_certificate"])
    addresses = [node.address for node in staging.lab.nodes]
    hostname = staging.lab.manager.address
    return Target(addresses, environments.PORTS["app"], hostname, ca_file, staging.lab.people, environments.PROVIDER)
