"""`rebuild` builds what is asked for, and the environment runs it."""

from __future__ import annotations

import json
from collections.abc import Iterator

import docker
import pytest

from tests.system import environments
from tests.system.checkout import Checkout
from tests.system.running import run, succeed

SERVICE = "sandbox"

REFERENCE = f"""
from infra import recipes
from infra.config.sections import ImageSettings
print(recipes.reference({SERVICE!r}, recipes.build_arguments({SERVICE!r}, ImageSettings())))
"""


@pytest.fixture
def reference(checkout: Checkout, client: docker.DockerClient) -> Iterator[str]:
    """The image of changed source, which no other clone runs and nothing has built."""
    before = checkout.outputs()["images"][SERVICE]
    added = checkout.root / "sandbox/src/added.mjs"
    added.write_text(f"// {checkout.stack}\n")
    python = str(checkout.root / ".venv/bin/python")
    changed = succeed(run([python, "-c", REFERENCE], cwd=checkout.root, env=checkout.tools)).strip()
    assert changed != before
    yield changed
    added.unlink()
    checkout.up()
    assert checkout.outputs()["images"][SERVICE] == before
    client.images.remove(changed)


def _ids(checkout: Checkout, client: docker.DockerClient) -> dict[str, tuple[str, str]]:
    """Return containers and images by service."""
    found = client.containers.list(filters=environments.labelled(checkout.stack), ignore_removed=True)
    return {(one.name or "").rpartition("-")[2]: (one.id or "", one.attrs["Image"]) for one in found}


def _expect_built_and_run(checkout: Checkout, client: docker.DockerClient, reference: str, *flags: str) -> str:
    """Rebuild one service's image; return the image's id."""
    before = _ids(checkout, client)
    done = checkout.dashtam("rebuild", checkout.stack, SERVICE, *flags, "--json")
    [outputs] = json.loads(succeed(done))["environments"]
    assert outputs["images"][SERVICE] == reference
    assert f"building {reference}" in done.stderr
    after = _ids(checkout, client)
    container, image = after[SERVICE]
    assert image == client.images.get(reference).id
    assert container != before[SERVICE][0]
    assert image != before[SERVICE][1]
    assert after == {**before, SERVICE: after[SERVICE]}
    assert environments.is_up(client, checkout.stack)
    return image


def test_an_image_is_built_and_run(checkout: Checkout, client: docker.DockerClient, reference: str) -> None:
    volumes = environments.labelled(checkout.stack)
    kept = {one["Name"] for one in client.api.volumes(filters=volumes)["Volumes"]}
    assert kept
    _expect_built_and_run(checkout, client, reference)
    assert {one["Name"] for one in client.api.volumes(filters=volumes)["Volumes"]} >= kept


@pytest.mark.campaign
def test_without_cache_the_same_source_makes_another_image(
    checkout: Checkout, client: docker.DockerClient, reference: str
) -> None:
    first = _expect_built_and_run(checkout, client, reference)
    _expect_built_and_run(checkout, client, reference, "--no-cache")
    client.images.remove(first)
