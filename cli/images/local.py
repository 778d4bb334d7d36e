"""What the engine has and says about images."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from cli.engine.connect import UnreachableError, explain, open_client
from cli.engine.remembered import find_remembered_engine

if TYPE_CHECKING:
    from collections.abc import Iterator

    from docker import DockerClient


def connect() -> DockerClient:
    """Connect to the engine that the user has chosen, else the one that answers."""
    try:
        return open_client(find_remembered_engine(remember=False).endpoint)
    except UnreachableError as failure:
        raise explain(failure) from failure


@contextmanager
def patience(client: DockerClient, seconds: float) -> Iterator[None]:
    """Bound how long one answer of the engine may take."""
    before = client.api.timeout
    # Requests take fractions as well; the stubs know whole seconds only.
    client.api.timeout = seconds  # type: ignore[assignment]
    try:
        yield
    finally:
        client.api.timeout = before


def local_references(client: DockerClient) -> frozenset[str]:
    """Return every name by which the engine has an image, in one call."""
    images = client.api.images()
    return frozenset(name for image in images for key in ("RepoTags", "RepoDigests") for name in image.get(key) or ())


def is_local(reference: str, local: frozenset[str]) -> bool:
    """Say whether an image is among the local ones."""
    name, _, digest = reference.partition("@")
    if not digest:
        return reference in local
    folder, slash, last = name.rpartition("/")
    return f"{folder}{slash}{last.partition(':')[0]}@{digest}" in local
