"""Builds the images of an environment's services again, under the same names."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from docker import DockerClient

from cli.core.errors import UsageError, UserError
from cli.environments.configuration import configuration, configured_stacks
from cli.images.debian import build
from cli.ui.progress import meter
from infra import recipes
from infra.catalogue import ROOT, SOURCE_VARIABLE, ImageSource
from infra.config.settings import StackSettings


@dataclass(frozen=True)
class Image:
    """An image to build: a stage of a Dockerfile, with its build arguments."""

    stage: str
    arguments: dict[str, str]


def chosen(settings: StackSettings, services: Collection[str], environ: Mapping[str, str]) -> dict[str, Image]:
    """Return the images that are built for services, by their references; all where none is named."""
    built = recipes.stages(settings)
    for service in services:
        if service not in built:
            raise UsageError(
                f"There is no image of {service!r} to build.",
                cause=f"Images are built for {', '.join(built)}.",
                remedy="The other services run base images: see `./dashtam images --help`.",
            )
    everything = [*built.values(), *(["test"] if settings.tests.image else [])]
    stages = [built[service] for service in services] or everything
    images = [Image(stage, recipes.build_arguments(stage, settings.images, environ)) for stage in stages]
    return {recipes.reference(one.stage, one.arguments): one for one in images}


def current_references(root: Path) -> frozenset[str]:
    """Return the references of all images that a checkout's environments run, wherever base images come from."""
    found: set[str] = set()
    for stack in configured_stacks(root):
        with suppress(UserError):  # of one whose config isn't valid, which its own commands report
            config = configuration(root, stack)
            found |= {name for source in ImageSource for name in chosen(config, (), {SOURCE_VARIABLE: source})}
    return frozenset(found)


def rebuild(client: DockerClient, images: Mapping[str, Image], *, cache: bool) -> None:
    """Build images by their references; each gets its name only once it is complete."""
    for number, (reference, image) in enumerate(images.items(), start=1):
        with meter(f"Images {number}/{len(images)}: building {reference}{'' if cache else ' without cache'}") as shown:
            build(
                client,
                f"{reference} could not be built",
                shown.tick,
                path=str(ROOT),
                dockerfile=recipes.RECIPES[image.stage].dockerfile,
                target=image.stage,
                buildargs=image.arguments,
                tag=reference,
                nocache=not cache,
            )
