"""The images of one environment: pinned bases, and the service's own image with the digest of its source."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import pulumi
import pulumi_docker as docker

from infra import proxies, recipes
from infra.catalogue import POSTGRES, REDIS, ROOT, Base
from infra.config.sections import ImageSettings


def _with_proxies(arguments: Mapping[str, str]) -> pulumi.Input[Mapping[str, pulumi.Input[str]]]:
    found = proxies.for_containers()
    # A proxy's address may hold a password.
    return {**arguments, **{name: pulumi.Output.secret(value) for name, value in found.items()}}


@dataclass(frozen=True)
class Image:
    """An image as a container uses it."""

    reference: str
    id: pulumi.Output[str]
    """Given the tag instead, a container would be replaced at every update."""


class Images(Protocol):
    """The images of an environment."""

    postgres: Image
    redis: Image

    def built(self, stage: str) -> Image:
        """Return an image of the project's own, by its stage in `RECIPES`."""


class BuiltImages(pulumi.ComponentResource):
    """Images that one engine pulls and builds. None is removed with its environment: others use the same."""

    def __init__(self, settings: ImageSettings, parent: pulumi.Resource) -> None:
        super().__init__("dashtam:index:Images", "images", None, pulumi.ResourceOptions(parent=parent))
        self._child = pulumi.ResourceOptions(parent=self)
        self._settings = settings
        self._built: dict[str, Image] = {}
        self.postgres = self._base(POSTGRES)
        self.redis = self._base(REDIS)
        self.register_outputs({})

    def built(self, stage: str) -> Image:
        """Return an image that is built here; each is declared once."""
        if stage not in self._built:
            self._built[stage] = self._build(stage)
        return self._built[stage]

    def _base(self, base: Base) -> Image:
        reference = recipes.base_reference(base, self._settings)
        image = docker.RemoteImage(base.name, name=reference, keep_locally=True, opts=self._child)
        return Image(reference, image.image_id)

    def _build(self, stage: str) -> Image:
        recipe = recipes.RECIPES[stage]
        arguments = recipes.build_arguments(stage, self._settings)
        reference = recipes.reference(stage, arguments)
        image = docker.RemoteImage(
            stage,
            name=reference,
            build=docker.RemoteImageBuildArgs(
                context=str(ROOT),
                dockerfile=recipe.dockerfile,
                target=stage,
                build_args=_with_proxies(arguments),
                remove=True,
            ),
            triggers={"source": recipe.digest(), "base": "".join(arguments.values())},
            keep_locally=True,
            opts=self._child,
        )
        return Image(reference, image.image_id)
