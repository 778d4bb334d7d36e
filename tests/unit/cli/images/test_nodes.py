from __future__ import annotations

from collections.abc import Iterable, Iterator
from types import SimpleNamespace
from typing import Any, cast

import pytest
from docker import DockerClient
from docker.errors import APIError, ImageLoadError, ImageNotFound

from cli.core.errors import UserError
from cli.images import nodes

IMAGE = "dashtam/production:0123456789ab"
REGISTRY = "registry.example:5000"
THERE = f"{REGISTRY}/{IMAGE}"


class Engine:
    """An engine with images, and a registry that it pushes to."""

    def __init__(self, **images: str) -> None:
        self.images_by_name = dict(images)
        self.digests: dict[str, list[str]] = {}
        self.registry: dict[str, str] = {}
        self.events: list[dict[str, str]] = [{"id": "layer", "status": "Pushing"}]
        self.pushed: list[str] = []
        self.room = 1 << 20
        self.api = SimpleNamespace(
            inspect_distribution=self._distribution, tag=self._tag, push=self._push, get_image=self._save
        )
        self.images = SimpleNamespace(get=self._get, load=self._load)

    @property
    def client(self) -> DockerClient:
        return cast("DockerClient", self)

    def _get(self, name: str) -> SimpleNamespace:
        if name not in self.images_by_name:
            raise ImageNotFound(name)
        found = self.images_by_name[name]
        return SimpleNamespace(id=found, attrs={"Id": found, "Size": 5, "RepoDigests": self.digests.get(name)})

    def _distribution(self, name: str) -> dict[str, Any]:
        if name not in self.registry:
            raise APIError("not there")
        return {"Descriptor": {"digest": self.registry[name]}}

    def _tag(self, name: str, repository: str, tag: str) -> None:
        self.images_by_name[f"{repository}:{tag}"] = self.images_by_name[name]

    def _push(self, repository: str, *, tag: str, stream: bool, decode: bool) -> Iterator[dict[str, str]]:
        assert stream
        assert decode
        assert f"{repository}:{tag}" in self.images_by_name
        yield from self.events
        self.pushed.append(f"{repository}:{tag}")

    def _save(self, name: str) -> Iterator[bytes]:
        yield f"{name} ".encode()
        yield self.images_by_name[name].encode()

    def _load(self, pieces: Iterable[bytes]) -> None:
        content = b"".join(pieces)
        if len(content) > self.room:
            raise ImageLoadError("no space left on device")
        name, identity = content.decode().split()
        self.images_by_name[name] = identity


def test_an_image_is_pushed_once_under_the_registry_s_name() -> None:
    engine = Engine(**{IMAGE: "sha256:1"})
    nodes.push(engine.client, REGISTRY, [IMAGE])
    assert engine.pushed == [THERE]
    engine.registry[THERE] = "sha256:of-the-manifest"
    engine.digests[IMAGE] = [f"{REGISTRY}/dashtam/production@sha256:of-the-manifest"]
    nodes.push(engine.client, REGISTRY, [IMAGE])
    assert engine.pushed == [THERE]


def test_another_image_under_the_name_is_replaced() -> None:
    engine = Engine(**{IMAGE: "sha256:1"})
    engine.registry[THERE] = "sha256:of-another"
    nodes.push(engine.client, REGISTRY, [IMAGE])
    assert engine.pushed == [THERE]


@pytest.mark.parametrize(
    ("problem", "remedy"),
    [
        ("denied: requested access to the resource is denied", f"docker login {REGISTRY}"),
        ("unauthorized: authentication required", f"docker login {REGISTRY}"),
        ("connection refused", "dashtam:target.registry"),
    ],
)
def test_a_registry_that_refuses_is_named_with_the_way_out(problem: str, remedy: str) -> None:
    engine = Engine(**{IMAGE: "sha256:1"})
    engine.events = [{"error": problem}]
    with pytest.raises(UserError, match="can't be pushed") as raised:
        nodes.push(engine.client, REGISTRY, [IMAGE])
    assert problem in raised.value.cause
    assert remedy in raised.value.remedy


def test_images_are_loaded_where_they_are_missing_or_others() -> None:
    engine, full, other, empty = Engine(**{IMAGE: "id"}), Engine(**{IMAGE: "id"}), Engine(**{IMAGE: "old"}), Engine()
    full.room = 0
    found = {"node1": full.client, "node2": other.client, "node3": empty.client}
    nodes.load(engine.client, found, [IMAGE])
    assert [one.images_by_name for one in (full, other, empty)] == [{IMAGE: "id"}] * 3


def test_a_node_without_room_is_named() -> None:
    engine, full = Engine(**{IMAGE: "id"}), Engine()
    full.room = 0
    with pytest.raises(UserError, match=f"loading {IMAGE} on node2 failed") as raised:
        nodes.load(engine.client, {"node2": full.client}, [IMAGE])
    assert "no space" in raised.value.cause
