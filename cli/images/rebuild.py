"""Builds the images of an environment's services again, under the same names."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING

import requests
from docker.errors import DockerException

from cli.core.errors import UserError
from cli.images.debian import follow
from cli.images.failures import explained
from cli.ui.progress import meter
from infra import recipes
from infra.catalogue import ROOT

if TYPE_CHECKING:
    from docker import DockerClient

    from infra.config.settings import StackSettings


def stages(settings: StackSettings, services: Collection[str]) -> list[str]:
    """Return the stages of the Dockerfile to build for services; all where none is named."""
    built = recipes.stages(settings)
    for service in services:
        if service not in built:
            raise UserError(
                f"There is no image of {service!r} to build.",
                cause=f"Images are built for {', '.join(built)}.",
                remedy="The other services run base images: see `./dashtam images --help`.",
                exit_status=2,
            )
    everything = [*built.values(), *(["test"] if settings.tests.image else [])]
    return list(dict.fromkeys(built[service] for service in services) if services else dict.fromkeys(everything))


def rebuild(client: DockerClient, chosen: Mapping[str, dict[str, str]], *, cache: bool) -> None:
    """Build images of stages with their build arguments; each gets its name only once it is complete."""
    for number, (stage, arguments) in enumerate(chosen.items(), start=1):
        what = f"building {recipes.reference(stage, arguments)}{'' if cache else ' without cache'}"
        with meter(f"Images {number}/{len(chosen)}: {what}") as shown:
            _build(client, stage, arguments, shown.tick, cache=cache)


def _build(
    client: DockerClient, stage: str, arguments: dict[str, str], tick: Callable[[str], object], *, cache: bool
) -> None:
    reference = recipes.reference(stage, arguments)
    failed = f"{reference} could not be built"
    try:
        events = client.api.build(
            path=str(ROOT),
            dockerfile=recipes.RECIPES[stage].dockerfile,
            target=stage,
            buildargs=arguments,
            tag=reference,
            nocache=not cache,
            decode=True,
            rm=True,
            forcerm=True,
        )
        follow(events, failed, tick)
    except (DockerException, requests.RequestException) as error:
        raise explained(failed, [str(error)]) from error
