"""Builds the images of an environment's services anew, under the names that they have."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING

import requests
from docker.errors import DockerException

from cli.core.errors import USAGE, UserError
from cli.images.debian import follow
from cli.images.failures import explained
from cli.ui.work import Steps, Tick
from infra import recipes
from infra.catalogue import ROOT

if TYPE_CHECKING:
    from docker import DockerClient

    from infra.config.settings import StackSettings


def stages(settings: StackSettings, services: Collection[str]) -> list[str]:
    """Return which images are to be built."""
    built = recipes.stages(settings)
    for service in services:
        if service not in built:
            raise UserError(
                f"There is no image of {service!r} to build.",
                cause=f"Built here are those of {', '.join(built)}.",
                remedy="`./dashtam images` is for the images that the others run.",
                exit_status=USAGE,
            )
    everything = [*built.values(), *(["test"] if settings.tests.image else [])]
    return list(dict.fromkeys(built[service] for service in services) if services else dict.fromkeys(everything))


def rebuild(
    client: DockerClient, chosen: Mapping[str, dict[str, str]], announce: Callable[[str], None], *, cache: bool
) -> None:
    """Build images. One has its name only once it is complete."""
    steps = Steps(len(chosen), announce)
    for stage, arguments in chosen.items():
        reference = recipes.reference(stage, arguments)
        with steps.step(f"building {reference}{'' if cache else ' without cache'}") as tick:
            _build(client, stage, arguments, tick, cache=cache)


def _build(client: DockerClient, stage: str, arguments: dict[str, str], tick: Tick, *, cache: bool) -> None:
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
