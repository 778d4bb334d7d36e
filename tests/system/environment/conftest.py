"""The environments that the promises are tested on: test, ci, and one more that is a copied config and nothing else."""

from __future__ import annotations

import os
from collections.abc import Iterator

import docker
import pytest

from infra.outputs import StackOutputs
from tests.conftest import stack_outputs
from tests.system import checkout as checkouts
from tests.system import environments
from tests.system.checkout import ROOT, Checkout
from tests.system.environments import Environment
from tests.system.running import run, succeed

KNOWN_OUTPUTS: dict[frozenset[str], StackOutputs] = {}
"""The further environment's outputs by its containers."""


@pytest.fixture(scope="session")
def client() -> Iterator[docker.DockerClient]:
    made = docker.from_env()
    yield made
    made.close()


@pytest.fixture(scope="session")
def checkout(client: docker.DockerClient, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    """A copy of this checkout, whose further environment is up, and is removed at the end whatever happened."""
    with checkouts.brought_up(client, tmp_path_factory.mktemp("checkout")) as made:
        yield made


@pytest.fixture
def further(checkout: Checkout, client: docker.DockerClient) -> Environment:
    """The further environment: healthy, with its config as it is committed."""
    return _mended(checkout, client)


@pytest.fixture(scope="session")
def ci(client: docker.DockerClient) -> Iterator[Environment]:
    """The ci environment, which goes again if it wasn't up before."""
    was_up = environments.is_up(client, "ci")
    succeed(run([str(ROOT / "dashtam"), "up", "ci"], cwd=ROOT))
    yield Environment("ci", ROOT, dict(os.environ), stack_outputs("ci"), client)
    if not was_up:
        succeed(run([str(ROOT / "dashtam"), "destroy", "ci", "--yes"], cwd=ROOT))


@pytest.fixture(scope="session")
def under_test(outputs: StackOutputs, client: docker.DockerClient) -> Environment:
    """The environment that all suites are run against."""
    return Environment(outputs.environment, ROOT, dict(os.environ), outputs, client)


@pytest.fixture
def every(under_test: Environment, ci: Environment, further: Environment) -> dict[str, Environment]:
    """The environments by their part in these tests."""
    return {"test": under_test, "ci": ci, "further": further}


@pytest.fixture(scope="session")
def running(
    under_test: Environment, ci: Environment, checkout: Checkout, client: docker.DockerClient
) -> list[Environment]:
    """Every environment that is up, the developer's own too if it is."""
    found = [under_test, ci, _mended(checkout, client)]
    if environments.is_up(client, "dev"):
        found.append(Environment("dev", ROOT, dict(os.environ), stack_outputs("dev"), client))
    return found


def _mended(checkout: Checkout, client: docker.DockerClient) -> Environment:
    if checkout.status() or not environments.is_up(client, checkout.stack):
        checkout.configure()
        checkout.up()
    return Environment(checkout.stack, checkout.root, checkout.tools, _outputs(checkout, client), client)


def _outputs(checkout: Checkout, client: docker.DockerClient) -> StackOutputs:
    # Asking Pulumi takes a second, and hundreds of tests want to know; they change with the containers.
    found = client.api.containers(all=True, filters=environments.labelled(checkout.stack))
    key = frozenset(one["Id"] for one in found)
    if key not in KNOWN_OUTPUTS:
        KNOWN_OUTPUTS[key] = StackOutputs.model_validate(checkout.outputs())
    return KNOWN_OUTPUTS[key]
