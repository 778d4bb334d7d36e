"""Where this machine's base images come from: decided once, shown, and open to change."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import requests
from docker.errors import DockerException

from cli.core.errors import UserError
from cli.images import debian, record, rootfs
from cli.images.local import is_local, local_references, patience
from cli.images.record import Decision
from infra.catalogue import BASES, POSTGRES, ImageSource

if TYPE_CHECKING:
    from collections.abc import Mapping

    from docker import DockerClient

VARIABLE = "DASHTAM_IMAGE_SOURCE"
PROBE_SECONDS = 5.0
"""How long a registry has to answer. The engine itself would go on trying for minutes where packets are dropped."""


def decide(client: DockerClient, environ: Mapping[str, str] = os.environ) -> ImageSource:
    """Return where this machine's images come from, and hold on to it."""
    return (known(client, environ) or _settle(client)).source


def explain(client: DockerClient, environ: Mapping[str, str] = os.environ) -> Decision:
    """Return where this machine's images come from, and why, without recording anything."""
    return known(client, environ) or probe(client)


def known(client: DockerClient, environ: Mapping[str, str] = os.environ) -> Decision | None:
    """Return where this machine's images come from, as far as that is settled: no registry is asked."""
    if wish := environ.get(VARIABLE):
        return Decision(source=parse(wish), reason=f"{VARIABLE} says so")
    recorded = record.read().engines.get(_engine_id(client))
    return recorded.image_source if recorded else None


def _settle(client: DockerClient) -> Decision:
    found = probe(client)
    if _lasting(client, found):
        record.write(_engine_id(client), found)
    return found


def choose(client: DockerClient, wish: str) -> Decision:
    """Record where images come from, as the user wants it."""
    engine = _engine_id(client)
    if wish == "auto":
        record.write(engine, None)
        return _settle(client)
    decision = Decision(source=parse(wish), reason=f"chosen with `./dashtam images source {wish}`")
    record.write(engine, decision)
    return decision


def parse(wish: str) -> ImageSource:
    """Read a source's name."""
    try:
        return ImageSource(wish)
    except ValueError:
        message = f"There is no image source {wish!r}"
        remedy = "Give `registry`, `debian`, or `auto` with `./dashtam images source`."
        raise UserError(message, cause=f"{VARIABLE} and the command know two", remedy=remedy) from None


def probe(client: DockerClient, reference: str = POSTGRES.official, seconds: float = PROBE_SECONDS) -> Decision:
    """Find out where images can come from."""
    local = local_references(client)
    if all(is_local(base.reference(ImageSource.REGISTRY), local) for base in BASES):
        return Decision(source=ImageSource.REGISTRY, reason="the official images are here")
    try:
        with patience(client, seconds):
            client.images.get_registry_data(reference)
    except requests.Timeout:
        return Decision(source=ImageSource.DEBIAN, reason=f"no image registry answered within {seconds:.0f} s")
    except (DockerException, requests.RequestException):
        return Decision(source=ImageSource.DEBIAN, reason="no image registry could be reached")
    return Decision(source=ImageSource.REGISTRY, reason="an image registry answers")


def _lasting(client: DockerClient, found: Decision) -> bool:
    """Say whether to hold on to what was found: a machine that can build nothing should rather look again."""
    if found.source is ImageSource.REGISTRY or rootfs.obstacle() is None:
        return True
    return debian.current_references() <= local_references(client)


def _engine_id(client: DockerClient) -> str:
    return str(client.info().get("ID") or "unknown")
