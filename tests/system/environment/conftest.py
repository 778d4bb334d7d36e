"""The environments that the promises are tested on: test, ci, and one more that is a copied config and nothing else."""

from __future__ import annotations

import os
from pathlib import Path

import docker
import pytest

from infra.outputs import StackOutputs
from tests.conftest import stack_outputs
from tests.system import environments
from tests.system.checkout import ROOT, Checkout
from tests.system.environments import Environment
from tests.system.running import run, succeed

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Don't count towards a test's time what brings environments up: the first time, it builds their images.

    Those commands have limits of their own.
    """
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.timeout(func_only=True))


@pytest.fixture
def further(checkout: Checkout, client: docker.DockerClient) -> Environment:
    """The further environment: healthy, with its config as it is committed."""
    return _healthy(checkout, client)


@pytest.fixture
def standing(checkout: Checkout, client: docker.DockerClient) -> Environment:
    """The further environment, healthy, with whatever config the test before left it."""
    if not environments.is_up(client, checkout.stack):
        checkout.configure()
        checkout.up()
    outputs = StackOutputs.model_validate(checkout.outputs())
    return Environment(checkout.stack, checkout.root, checkout.tools, outputs, client)


@pytest.fixture(scope="session")
def ci(client: docker.DockerClient) -> Environment:
    """The ci environment. It stays up, as test does: other workers may use it."""
    succeed(run([str(ROOT / "dashtam"), "up", "ci"], cwd=ROOT))
    return Environment("ci", ROOT, dict(os.environ), stack_outputs("ci"), client)


@pytest.fixture(scope="session")
def under_test(outputs: StackOutputs, client: docker.DockerClient) -> Environment:
    """The environment that all suites are run against."""
    return Environment(outputs.environment, ROOT, dict(os.environ), outputs, client)


@pytest.fixture(scope="module")
def every(
    under_test: Environment, ci: Environment, checkout: Checkout, client: docker.DockerClient
) -> dict[str, Environment]:
    """The environments by their part in these tests, for a file whose tests leave them as they are."""
    return {"test": under_test, "ci": ci, "further": _healthy(checkout, client)}


@pytest.fixture(scope="module")
def running(every: dict[str, Environment], client: docker.DockerClient) -> list[Environment]:
    """Every environment that is up, the developer's own too if it is."""
    found = [*every.values()]
    if environments.is_up(client, "dev", os.environ["DASHTAM_CLONE"]):
        found.append(Environment("dev", ROOT, dict(os.environ), stack_outputs("dev"), client))
    return found


def _healthy(checkout: Checkout, client: docker.DockerClient) -> Environment:
    checkout.ensure_up(client)
    outputs = StackOutputs.model_validate(checkout.outputs())
    return Environment(checkout.stack, checkout.root, checkout.tools, outputs, client)
