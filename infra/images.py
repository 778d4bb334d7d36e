"""The images of one environment: pinned bases, and the service's own image with the digest of its source."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_docker as docker

from infra import proxies, recipes
from infra.catalogue import POSTGRES, REDIS, ROOT, Base
from infra.config.sections import ImageSettings


@dataclass(frozen=True)
class Image:
    """An image as a container uses it."""

    reference: str
    id: pulumi.Output[str]
    """Given the tag instead, a container would be replaced at every update."""


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
        """Return an image of the project's own, by its stage in `RECIPES`; each is declared once."""
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
        # A proxy's address may hold a password.
        secret = {name: pulumi.Output.secret(value) for name, value in proxies.for_containers().items()}
        image = docker.RemoteImage(
            stage,
            name=reference,
            build=docker.RemoteImageBuildArgs(
                context=str(ROOT),
                dockerfile=recipe.dockerfile,
                target=stage,
                build_args={**arguments, **secret},
                remove=True,
            ),
            triggers={"source": recipe.digest(), "base": "".join(arguments.values())},
            keep_locally=True,
            opts=self._child,
        )
        return Image(reference, image.image_id)
