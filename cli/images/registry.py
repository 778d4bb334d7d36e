"""The official images, pulled from their registry."""

from __future__ import annotations

from typing import TYPE_CHECKING

import requests
from docker.errors import DockerException

from cli.core.errors import UserError
from cli.images.failures import explained

if TYPE_CHECKING:
    from docker import DockerClient

    from cli.ui.work import Tick

BUILT = "Or have the base images built from Debian packages: `./dashtam images source debian`."
_MEBIBYTE = 2**20


def make(client: DockerClient, reference: str, tick: Tick) -> None:
    """Pull one image."""
    what = f"Pulling {reference} failed"
    name, _, digest = reference.partition("@")
    repository, _, tag = name.rpartition(":")
    arrived: dict[str, int] = {}
    try:
        for event in client.api.pull(repository, tag=digest or tag, stream=True, decode=True):
            if "error" in event:
                raise UserError(what, cause=event["error"], remedy=f"Check the network to the registry. {BUILT}")
            arrived[event.get("id", "")] = event.get("progressDetail", {}).get(
                "current", arrived.get(event.get("id", ""), 0)
            )
            tick(f"{sum(arrived.values()) / _MEBIBYTE:.0f} MiB, {event.get('status', '')}")
    except (DockerException, requests.RequestException) as error:
        failure = explained(what, [str(error)])
        raise UserError(what, cause=failure.cause, remedy=f"Check the network to the registry. {BUILT}") from error
