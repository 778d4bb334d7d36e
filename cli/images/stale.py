"""Base images that older versions of the project built, and that nothing needs any more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from docker.errors import DockerException

from cli.images.debian import LABEL, REPOSITORY, current_references

if TYPE_CHECKING:
    from docker import DockerClient


@dataclass(frozen=True)
class Stale:
    """An image that an older version of the project built."""

    id: str
    tags: tuple[str, ...]
    size: int


def find(client: DockerClient) -> list[Stale]:
    """List the base images that older versions built."""
    found = []
    for image in client.api.images(filters={"label": LABEL}):
        tags = tuple(image.get("RepoTags") or ())
        ours = tags and all(tag.startswith(f"{REPOSITORY}/") for tag in tags)
        if ours and not current_references().intersection(tags):
            found.append(Stale(image["Id"], tags, image["Size"]))
    return sorted(found, key=lambda image: image.tags)


def remove(client: DockerClient) -> list[str]:
    """Remove the base images that older versions built and nothing uses."""
    removed = []
    # The root file systems come last: the others stand on them.
    for image in sorted(find(client), key=lambda image: image.tags[0].startswith(f"{REPOSITORY}/base:")):
        for tag in image.tags:
            try:
                client.api.remove_image(tag)
            except DockerException:
                continue  # A container uses it.
            removed.append(tag)
    return removed
