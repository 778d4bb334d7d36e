"""The official images in their registry: pulled, and their digests recorded."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from pathlib import Path

import requests
from docker import DockerClient
from docker.errors import DockerException
from rich.filesize import decimal

from cli.core import remedies
from cli.core.atomic_files import write_whole
from cli.core.errors import UserError
from cli.engine.connect import answering_within
from infra.catalogue import ALL, LOCK

ANSWER_SECONDS = 30.0
"""How long a registry has to answer for each image."""

OFFICIAL = tuple(base.official for base in ALL)

_NETWORK = (
    "Check the network to the registry, or build the images from Debian packages: `./dashtam images source debian`."
)
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


def pull(client: DockerClient, reference: str, tick: Callable[[str], object]) -> None:
    """Pull one image; `tick` gets how much has come."""
    name, _, digest = reference.partition("@")
    repository, _, tag = name.rpartition(":")
    arrived: dict[str, int] = {}
    try:
        for event in client.api.pull(repository, tag=digest or tag, stream=True, decode=True):
            if "error" in event:
                raise _not_pulled(reference, event["error"])
            layer = event.get("id", "")
            arrived[layer] = event.get("progressDetail", {}).get("current", arrived.get(layer, 0))
            tick(f"{decimal(sum(arrived.values()))}, {event.get('status', '')}")
    except (DockerException, requests.RequestException) as error:
        raise _not_pulled(reference, str(error)) from error


def _not_pulled(reference: str, cause: str) -> UserError:
    return UserError(f"Pulling {reference} failed.", cause=cause, remedy=remedies.known(cause) or _NETWORK)


def record_digests(
    client: DockerClient, references: Iterable[str] = OFFICIAL, path: Path = LOCK, seconds: float = ANSWER_SECONDS
) -> dict[str, str]:
    """Ask the registry for the digest of each image, and record all of them or none."""
    digests = {reference: _digest(client, reference, seconds) for reference in sorted(references)}
    write_whole(path, json.dumps(digests, indent=2, sort_keys=True) + "\n")
    return digests


def _digest(client: DockerClient, reference: str, seconds: float) -> str:
    try:
        with answering_within(client, seconds):
            digest = str(client.images.get_registry_data(reference).id)
    except requests.Timeout as error:
        raise _failure(reference, f"it didn't answer within {seconds:.0f} s") from error
    except (DockerException, requests.RequestException) as error:
        raise _failure(reference, getattr(error, "explanation", None) or str(error)) from error
    if not _DIGEST.fullmatch(digest):
        raise _failure(reference, f"it answered with {digest!r}, which is not a digest")
    return digest


def _failure(reference: str, cause: str) -> UserError:
    return UserError(
        f"The registry gave no digest for {reference}",
        cause=cause,
        remedy="Run `./dashtam images lock` on a machine that reaches the registry. Nothing was recorded.",
    )
