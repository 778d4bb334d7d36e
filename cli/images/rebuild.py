"""Builds the images of an environment's services again, under the same names."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from cli.core.errors import USAGE, UserError
from cli.images.debian import build
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
                exit_status=USAGE,
            )
    everything = [*built.values(), *(["test"] if settings.tests.image else [])]
    return list(dict.fromkeys(built[service] for service in services) if services else dict.fromkeys(everything))


def rebuild(client: DockerClient, chosen: Mapping[str, dict[str, str]], *, cache: bool) -> None:
    """Build images of stages with their build arguments; each gets its name only once it is complete."""
    for number, (stage, arguments) in enumerate(chosen.items(), start=1):
        reference = recipes.reference(stage, arguments)
        with meter(f"Images {number}/{len(chosen)}: building {reference}{'' if cache else ' without cache'}") as shown:
            build(
                client,
                f"{reference} could not be built",
                shown.tick,
                path=str(ROOT),
                dockerfile=recipes.RECIPES[stage].dockerfile,
                target=stage,
                buildargs=arguments,
                tag=reference,
                nocache=not cache,
            )
