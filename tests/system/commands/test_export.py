from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
import yaml

from infra.naming import SERVICES
from infra.outputs import StackOutputs
from tests.system import environments
from tests.system.commands import composing
from tests.system.commands.walking import link
from tests.system.running import succeed, wait_until

if TYPE_CHECKING:
    from pathlib import Path

    import docker

    from tests.system.checkout import Checkout
    from tests.system.commands.composing import Compose


@pytest.fixture(scope="module")
def file(checkout: Checkout, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The environment as a compose file."""
    made = tmp_path_factory.mktemp("export") / "compose.yaml"
    succeed(checkout.dashtam("export", "compose", checkout.stack, "--output", str(made)))
    return made


def test_a_compose_file_names_what_is_there(checkout: Checkout, client: docker.DockerClient, file: Path) -> None:
    document, outputs = yaml.safe_load(file.read_text()), checkout.outputs()
    assert list(document["services"]) == list(SERVICES)
    for name, service in document["services"].items():
        assert (
            client.images.get(service["image"]).id == client.containers.get(outputs["containers"][name]).attrs["Image"]
        )
        [port] = service["ports"]
        assert port.startswith(f"127.0.0.1:{outputs['ports'][name]}:")
        mounted = [one["source"] for one in service["volumes"] if one["type"] == "volume"]
        assert set(mounted) <= document["volumes"].keys()
    external = [name for name, volume in document["volumes"].items() if volume.get("external")]
    assert len(external) == len(SERVICES)
    for name in external:
        assert client.volumes.get(name).name == name
    assert not set(outputs["volumes"].values()) & document["volumes"].keys()


@pytest.fixture(scope="module")
def compose(tmp_path_factory: pytest.TempPathFactory) -> Compose:
    return composing.found(tmp_path_factory.mktemp("compose"))


def test_compose_runs_it_in_the_environments_place(
    checkout: Checkout, client: docker.DockerClient, compose: Compose, file: Path
) -> None:
    project, outputs = checkout.stack, StackOutputs.model_validate(checkout.outputs())
    own = client.containers.list(filters=environments.labelled(checkout.stack))
    succeed(compose.run(file, project, "config", "--quiet"))
    # Stopped, not taken down, which leaves the volumes of the files too: it is soon back.
    with ThreadPoolExecutor(len(own)) as pool:
        list(pool.map(lambda one: one.stop(), own))
    try:
        succeed(compose.run(file, project, "up", "--detach"))
        wait_until(lambda: _healthy(client, project) == set(SERVICES), "all that compose started is healthy", 120)
        assert link(outputs, "ada").accounts == [("sandbox", "ada")]
    finally:
        removed = compose.run(file, project, "down", "--volumes")
    succeed(removed)
    # What was the environment's own is untouched, so that it goes on.
    for one in own:
        one.start()
    wait_until(lambda: environments.is_up(client, checkout.stack), "the environment is up", 120)


def _healthy(client: docker.DockerClient, project: str) -> set[str]:
    found = client.containers.list(filters={"label": f"com.docker.compose.project={project}", "health": "healthy"})
    return {one.labels["com.docker.compose.service"] for one in found}


def test_it_holds_no_secret(checkout: Checkout, file: Path) -> None:
    text, outputs = file.read_text(), checkout.outputs()
    for dsn in ("database_dsn", "redis_dsn", "internal_database_dsn", "internal_redis_dsn"):
        password = urlsplit(outputs[dsn]).password
        assert password
        assert password not in text
    assert "PRIVATE KEY" not in text
    assert json.dumps(outputs["ca_certificate"]) not in text
