"""`rebuild` builds what is asked for, and the environment runs it."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from dataclasses import dataclass

import docker
import pytest

from tests.system import environments
from tests.system.checkout import Checkout
from tests.system.running import run, succeed

SERVICE = "sandbox"

REFERENCE = f"from infra import recipes; print(recipes.reference({SERVICE!r}))"


@dataclass(frozen=True)
class Image:
    """An image that no other clone runs.

    Args:
        reference: Its name and tag.
        stale: The id of what has this name and is not what the source says.
    """

    reference: str
    stale: str


@pytest.fixture
def own_image(checkout: Checkout, client: docker.DockerClient) -> Iterator[Image]:
    """The image of changed source, built from something else and run: what `up` takes for built."""
    before = checkout.outputs()["images"][SERVICE]
    added = checkout.root / "sandbox/src/added.mjs"
    added.write_text(f"// {checkout.stack}\n")
    python = str(checkout.root / ".venv/bin/python")
    reference = succeed(run([python, "-c", REFERENCE], cwd=checkout.root, env=checkout.environ)).strip()
    assert reference != before
    dockerfile = io.BytesIO(f"FROM {before}\nLABEL stale={checkout.stack}\n".encode())
    stale, _ = client.images.build(fileobj=dockerfile, tag=reference, rm=True)
    checkout.up()
    yield Image(reference, stale.id or "")
    added.unlink()
    checkout.up()
    assert checkout.outputs()["images"][SERVICE] == before
    client.images.remove(reference)


def _ids(checkout: Checkout, client: docker.DockerClient) -> dict[str, tuple[str, str]]:
    """Return containers and images by service."""
    found = client.containers.list(filters=environments.labelled(checkout.stack), ignore_removed=True)
    return {(one.name or "").rpartition("-")[2]: (one.id or "", one.attrs["Image"]) for one in found}


def _expect_built_and_run(checkout: Checkout, client: docker.DockerClient, image: Image, *flags: str) -> None:
    before = _ids(checkout, client)
    assert before[SERVICE][1] == client.images.get(image.reference).id
    done = checkout.dashtam("rebuild", checkout.stack, SERVICE, *flags, "--json")
    assert json.loads(succeed(done))["images"][SERVICE] == image.reference
    assert f"building {image.reference}" in done.stderr
    after = _ids(checkout, client)
    assert after[SERVICE][1] == client.images.get(image.reference).id
    assert after[SERVICE][0] != before[SERVICE][0]
    assert after[SERVICE][1] != before[SERVICE][1]
    assert after == {**before, SERVICE: after[SERVICE]}
    assert environments.is_up(client, checkout.stack)
    client.images.remove(before[SERVICE][1])


def test_an_image_is_built_and_takes_the_place_of_the_one_of_its_name(
    checkout: Checkout, client: docker.DockerClient, own_image: Image
) -> None:
    volumes = environments.labelled(checkout.stack)
    kept = {one["Name"] for one in client.api.volumes(filters=volumes)["Volumes"]}
    assert _ids(checkout, client)[SERVICE][1] == own_image.stale
    _expect_built_and_run(checkout, client, own_image)
    succeed(checkout.pulumi("preview", "--stack", checkout.stack, "--expect-no-changes"))
    assert {one["Name"] for one in client.api.volumes(filters=volumes)["Volumes"]} >= kept


@pytest.mark.campaign
def test_without_cache_the_same_source_makes_another_image(
    checkout: Checkout, client: docker.DockerClient, own_image: Image
) -> None:
    _expect_built_and_run(checkout, client, own_image)
    _expect_built_and_run(checkout, client, own_image, "--no-cache")
