"""`rebuild` builds what is asked for, and the environment runs it."""

from __future__ import annotations

import json
from collections.abc import Iterator

import docker
import pytest

from tests.system import environments
from tests.system.checkout import Checkout
from tests.system.running import succeed

SERVICE = "sandbox"


@pytest.fixture
def own_image(spare: Checkout, client: docker.DockerClient) -> Iterator[str]:
    """The reference of an image that no other clone runs."""
    spare.up()
    before = spare.outputs()["images"][SERVICE]
    added = spare.root / "sandbox/src/added.mjs"
    added.write_text(f"// {spare.stack}\n")
    spare.up()
    yield spare.outputs()["images"][SERVICE]
    own = spare.outputs()["images"][SERVICE]
    added.unlink()
    spare.up()
    assert spare.outputs()["images"][SERVICE] == before != own
    client.images.remove(own)


def _ids(spare: Checkout, client: docker.DockerClient) -> dict[str, str]:
    found = client.containers.list(filters=environments.labelled(spare.stack))
    return {one.name or "": one.attrs["Image"] for one in found}


def test_an_image_is_built_anew_and_run(spare: Checkout, client: docker.DockerClient, own_image: str) -> None:
    container = f"dashtam-{spare.stack}-{SERVICE}"
    ran = [_ids(spare, client)]
    for flags in ([], ["--no-cache"]):
        done = spare.dashtam("rebuild", spare.stack, SERVICE, *flags, "--json")
        assert json.loads(succeed(done))["images"][SERVICE] == own_image
        assert f"building {own_image}" in done.stderr
        ran.append(_ids(spare, client))
        assert client.images.get(own_image).id == ran[-1][container]
    assert ran[1][container] != ran[2][container]
    assert all(one == {**ran[0], container: one[container]} for one in ran)
    assert environments.is_up(client, spare.stack)
    succeed(spare.pulumi("preview", "--stack", spare.stack, "--expect-no-changes"))
    for image in {one[container] for one in ran[:-1]}:
        client.images.remove(image)


def test_an_image_that_is_not_built_here_is_refused(checkout: Checkout) -> None:
    done = checkout.dashtam("rebuild", checkout.stack, "postgres")
    assert done.returncode == 2
    assert "Built here are those of app, callback, sandbox." in done.stderr
