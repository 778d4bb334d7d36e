"""Records the digests of the official images, as the registry gives them."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import requests
from docker.errors import DockerException

from cli.core.atomic_files import write_whole
from cli.core.errors import UserError
from cli.images.local import patience
from infra.catalogue import BASES, LOCK

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from docker import DockerClient

ANSWER_SECONDS = 30.0
"""How long a registry has to answer for each image."""

OFFICIAL = tuple(base.official for base in BASES)
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


def record(
    client: DockerClient, references: Iterable[str] = OFFICIAL, path: Path = LOCK, seconds: float = ANSWER_SECONDS
) -> dict[str, str]:
    """Ask the registry for the digest of each image, and record them all or none."""
    digests = {reference: _digest(client, reference, seconds) for reference in sorted(references)}
    write_whole(path, json.dumps(digests, indent=2, sort_keys=True) + "\n")
    return digests


def _digest(client: DockerClient, reference: str, seconds: float) -> str:
    try:
        with patience(client, seconds):
            digest = str(client.images.get_registry_data(reference).id)
    except requests.Timeout as error:
        raise _failure(reference, f"it didn't answer within {seconds:.0f} s") from error
    except (DockerException, requests.RequestException) as error:
        raise _failure(reference, getattr(error, "explanation", None) or str(error)) from error
    if not _DIGEST.fullmatch(digest):
        raise _failure(reference, f"it answered with {digest!r}, which is no digest")
    return digest


def _failure(reference: str, cause: str) -> UserError:
    message = f"The registry gave no digest for {reference}"
    remedy = "Run `./dashtam images lock` on a machine that reaches the registry. Nothing was recorded."
    return UserError(message, cause=cause, remedy=remedy)
