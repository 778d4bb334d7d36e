"""Brings images from the engine that has them to the nodes of a Swarm: by a registry, or to each node's engine."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from docker import DockerClient
from docker.errors import APIError, DockerException

from cli.core.errors import UserError
from cli.images.failures import engine_failures
from cli.ui.progress import Meter, meter, transfer
from infra import cluster


def push(client: DockerClient, registry: str, references: Iterable[str]) -> None:
    """Push images that a registry lacks, with the login of `docker login`."""
    for reference in references:
        there = cluster.in_registry(registry, reference)
        if not _is_pushed(client, reference, there):
            name, _, tag = there.rpartition(":")
            with meter(f"Images: pushing {there}") as shown, engine_failures(f"{there} can't be pushed"):
                client.api.tag(reference, name, tag)
                _watch(client.api.push(name, tag=tag, stream=True, decode=True), there, registry, shown)


def _is_pushed(client: DockerClient, reference: str, there: str) -> bool:
    api: Any = client.api  # the stubs don't know this call
    try:
        digest = api.inspect_distribution(there)["Descriptor"]["digest"]
    except APIError:
        return False
    known = client.images.get(reference).attrs.get("RepoDigests") or ()
    return f"{there.rpartition(':')[0]}@{digest}" in known


def _watch(events: Iterator[Mapping[str, Any]], there: str, registry: str, shown: Meter) -> None:
    for event in events:
        if problem := event.get("error"):
            refused = any(word in problem.lower() for word in ("denied", "unauthorized", "no basic auth"))
            raise UserError(
                f"{there} can't be pushed.",
                cause=str(problem),
                remedy=f"Log in, as who may push there: `docker login {registry.partition('/')[0]}`."
                if refused
                else "Look whether the registry of dashtam:target.registry runs and the engine of DOCKER_HOST reaches"
                " it.",
            )
        shown.tick(" ".join(str(event[key]) for key in ("id", "status", "progress") if event.get(key)))


def load(client: DockerClient, nodes: Mapping[str, DockerClient], references: Iterable[str]) -> None:
    """Load images on the engines of nodes that lack them, from the engine that has them."""
    for reference in references:
        image = client.images.get(reference).attrs
        for name, node in nodes.items():
            if not _has(node, reference, image["Id"]):
                _copy(client, node, reference, f"Images: loading {reference} on {name}", image["Size"])


def _has(node: DockerClient, reference: str, identity: str) -> bool:
    try:
        return node.images.get(reference).id == identity
    except APIError:
        return False


def _copy(client: DockerClient, node: DockerClient, reference: str, title: str, size: int) -> None:
    with transfer(title, size) as count:
        try:
            images: Any = node.images  # the stubs know files only
            images.load(_counted(client.api.get_image(reference), count))
        except (DockerException, OSError) as error:
            raise UserError(
                f"{title.removeprefix('Images: ')} failed.",
                cause=str(error),
                remedy="Make room on that node, or set dashtam:target.registry.",
            ) from None


def _counted(pieces: Iterable[bytes], count: Any) -> Iterator[bytes]:  # noqa: ANN401
    for piece in pieces:
        count(len(piece))
        yield piece
