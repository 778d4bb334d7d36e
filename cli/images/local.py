"""The images that the engine has: which of a list, and those of the project that nothing needs any more."""

from __future__ import annotations

import re
import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from docker import DockerClient
from docker.errors import DockerException

from cli.engine.inventory import EngineView
from cli.images.debian import LABEL, REPOSITORY, current_references

SERVICE_LABEL = "dashtam.component=service"
"""Of the images that the Dockerfiles build, also of those that a later build has taken the name from."""
KEPT_SECONDS = 24 * 3600
"""How long an image of a service stays after it was built: another clone's environment may be down just now."""
_SERVICE = re.compile(r"(?:[^@]+/)?dashtam/[a-z-]+:[0-9a-f]{12}")
"""The name that `infra.recipes.reference` gives an image; in a registry too."""


def local_references(client: DockerClient) -> frozenset[str]:
    """Return every name by which the engine has an image, in one call."""
    images = client.api.images()
    return frozenset(name for image in images for key in ("RepoTags", "RepoDigests") for name in _names(image, key))


def _names(image: Mapping[str, Any], key: str) -> list[str]:
    # Podman puts this before the name of what was built or loaded there, and finds it without.
    names = [name.removeprefix("localhost/") for name in image.get(key) or ()]
    return [name for name in names if not name.startswith("<none>")]  # what older engines have in its place


def is_local(reference: str, local: frozenset[str]) -> bool:
    """Return whether an image is among the local ones; of a tag and a digest, the digest counts."""
    name, _, digest = reference.partition("@")
    if not digest:
        return reference in local
    folder, slash, last = name.rpartition("/")
    return f"{folder}{slash}{last.partition(':')[0]}@{digest}" in local


@dataclass(frozen=True)
class Stale:
    """An image of the project that isn't needed any more, with its size in bytes."""

    id: str
    tags: tuple[str, ...]
    size: int

    @property
    def references(self) -> tuple[str, ...]:
        """What it is removed by: its tags, or its id where it has none."""
        return self.tags or (self.id,)


def find_stale(client: DockerClient, current: Collection[str]) -> list[Stale]:
    """List base images that older versions built, and images of services that no container uses.

    `current` are the references of this checkout's own images. Those that another one needs are built again.
    """
    return sorted([*_bases(client), *_services(client, frozenset(current))], key=lambda image: image.references)


def _bases(client: DockerClient) -> Iterator[Stale]:
    for image in client.api.images(filters={"label": LABEL}):
        tags = tuple(_names(image, "RepoTags"))
        ours = tags and all(tag.startswith(f"{REPOSITORY}/") for tag in tags)
        if ours and not current_references().intersection(tags):
            yield Stale(image["Id"], tags, image["Size"])


def _services(client: DockerClient, current: frozenset[str]) -> Iterator[Stale]:
    used = {one["ImageID"] for one in client.api.containers(all=True)}
    for image in client.api.images(filters={"label": SERVICE_LABEL}):
        tags = tuple(_names(image, "RepoTags"))
        # What has a digest alone was pulled from a registry.
        ours = all(map(_SERVICE.fullmatch, tags or _names(image, "RepoDigests")))
        if ours and image["Id"] not in used and not current.intersection(tags) and not _is_recent(client, image):
            yield Stale(image["Id"], tags, image["Size"])


def _is_recent(client: DockerClient, image: Mapping[str, Any]) -> bool:
    """Return whether an image was made, or got its name from a build that changed nothing, within a day."""
    document = EngineView(client).image_document(image["Id"]) or {}
    tagged = document.get("Metadata", {}).get("LastTagTime")
    named = datetime.fromisoformat(tagged).timestamp() if tagged else 0
    age: float = time.time() - max(image["Created"], named)
    return age < KEPT_SECONDS


def remove(client: DockerClient, images: Iterable[Stale]) -> list[str]:
    """Remove those images that no container uses; return their names."""
    removed = []
    for image in sorted(images, key=_rank):
        for reference in image.references:
            try:
                client.api.remove_image(reference)
            except DockerException:
                continue  # a container uses it
            removed.append(reference)
    return removed


def _rank(image: Stale) -> list[bool]:
    """Order images after those that are built on them: services', base images, root file systems."""
    return [image.references[0].startswith(name) for name in (f"{REPOSITORY}/", f"{REPOSITORY}/base:")]
