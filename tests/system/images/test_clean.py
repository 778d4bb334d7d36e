"""Images of services that pile up on a real engine: which of them are found, and which the engine lets go."""

from __future__ import annotations

import io
import secrets
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from docker.errors import NotFound

from cli.images import local
from cli.images.debian import build
from cli.images.local import SERVICE_LABEL, Stale
from tests.system.images.conftest import LABELS

if TYPE_CHECKING:
    from docker import DockerClient

Build = Callable[[str | None], str]


@pytest.fixture
def built(client: DockerClient) -> Iterator[Build]:
    """Build an image that holds nothing but the label of services' images; returns its id."""
    made: list[str] = []

    def new(tag: str | None) -> str:
        recipe = f"FROM scratch\nLABEL {SERVICE_LABEL} dashtam.selftest={secrets.token_hex(8)}\n"
        made.append(build(client, "The build failed", lambda _: None, fileobj=io.BytesIO(recipe.encode()), tag=tag))
        return made[-1]

    yield new
    for image in made:
        with suppress(NotFound):
            client.images.remove(image, force=True)


def tag() -> str:
    return f"dashtam/selftest:{secrets.token_hex(6)}"


@pytest.fixture
def used(client: DockerClient, built: Build) -> Iterator[Stale]:
    """An image that a container has which never ran."""
    name = tag()
    image = Stale(built(name), (name,), 0)
    container = client.api.create_container(image.id, ["nothing"], labels=LABELS)
    yield image
    client.api.remove_container(container["Id"])


def test_what_no_container_uses_is_removed_a_day_after_it_was_built(
    client: DockerClient, built: Build, used: Stale, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, current = tag(), tag()
    named, unnamed, kept = built(name), built(None), built(current)
    ours = {named, unnamed, kept, used.id}
    assert not ours.intersection(one.id for one in local.find_stale(client, [current]))
    monkeypatch.setattr(local, "KEPT_SECONDS", 0)
    stale = [one for one in local.find_stale(client, [current]) if one.id in ours]
    assert {one.references for one in stale} == {(name,), (unnamed,)}
    assert {*local.remove(client, [*stale, used])} == {name, unnamed}
    assert not {named, unnamed}.intersection(one["Id"] for one in client.api.images())
    assert {kept, used.id} <= {one["Id"] for one in client.api.images()}
