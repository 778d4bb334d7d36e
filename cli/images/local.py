"""The images that the engine has: which of a list, and those that older versions of the project built."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from docker import DockerClient
from docker.errors import DockerException

from cli.images.debian import LABEL, REPOSITORY, current_references


def local_references(client: DockerClient) -> frozenset[str]:
    """Return every name by which the engine has an image, in one call."""
    images = client.api.images()
    return frozenset(name for image in images for key in ("RepoTags", "RepoDigests") for name in _names(image, key))


def _names(image: Mapping[str, Any], key: str) -> list[str]:
    # Podman puts this before the name of what was built or loaded there, and finds it without.
    return [name.removeprefix("localhost/") for name in image.get(key) or ()]


def is_local(reference: str, local: frozenset[str]) -> bool:
    """Return whether an image is among the local ones; of a tag and a digest, the digest counts."""
    name, _, digest = reference.partition("@")
    if not digest:
        return reference in local
    folder, slash, last = name.rpartition("/")
    return f"{folder}{slash}{last.partition(':')[0]}@{digest}" in local


@dataclass(frozen=True)
class Stale:
    """An image that an older version of the project built, with its size in bytes."""

    id: str
    tags: tuple[str, ...]
    size: int


def find_stale(client: DockerClient) -> list[Stale]:
    """List the base images that older versions built."""
    found = []
    for image in client.api.images(filters={"label": LABEL}):
        tags = tuple(_names(image, "RepoTags"))
        ours = tags and all(tag.startswith(f"{REPOSITORY}/") for tag in tags)
        if ours and not current_references().intersection(tags):
            found.append(Stale(image["Id"], tags, image["Size"]))
    return sorted(found, key=lambda image: image.tags)


def remove_stale(client: DockerClient) -> list[str]:
    """Remove the base images that older versions built and no container uses; return their names."""
    removed = []
    # The root file systems come last: the others are built on them.
    for image in sorted(find_stale(client), key=lambda image: image.tags[0].startswith(f"{REPOSITORY}/base:")):
        for tag in image.tags:
            try:
                client.api.remove_image(tag)
            except DockerException:
                continue  # a container uses it
            removed.append(tag)
    return removed
