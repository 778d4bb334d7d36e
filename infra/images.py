"""The images of one environment: pinned bases, and the service's own image with the digest of its source."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_docker as docker

from infra import recipes
from infra.catalogue import POSTGRES, REDIS, ROOT, Base
from infra.config.sections import ImageSettings


@dataclass(frozen=True)
class Image:
    """An image as a container uses it.

    Args:
        reference: Its name and tag.
        id: Its id; a container given the tag would be replaced at every update.
    """

    reference: str
    id: pulumi.Output[str]


class Images(pulumi.ComponentResource):
    """The images of an environment. None is removed with it: other environments use the same.

    Args:
        settings: Sources and overrides.
        opts: Resource options.

    Attributes:
        postgres: The database's image.
        redis: The cache's image.
    """

    def __init__(self, settings: ImageSettings, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("dashtam:index:Images", "images", None, opts)
        self._child = pulumi.ResourceOptions(parent=self)
        self._settings = settings
        self.postgres = self._base(POSTGRES, settings.postgres)
        self.redis = self._base(REDIS, settings.redis)
        self.register_outputs({})

    def _base(self, base: Base, override: str | None) -> Image:
        reference = override or base.reference(recipes.image_source(self._settings))
        image = docker.RemoteImage(base.name, name=reference, keep_locally=True, opts=self._child)
        return Image(reference, image.image_id)

    def built(self, stage: str) -> Image:
        """Declare an image that is built here.

        Args:
            stage: One of `RECIPES`, and the stage of its Dockerfile.

        Returns:
            The image; its tag follows from everything that it is built from.
        """
        recipe = recipes.RECIPES[stage]
        digest = recipe.digest()
        arguments = recipes.build_arguments(stage, self._settings)
        reference = recipes.reference(stage, arguments)
        image = docker.RemoteImage(
            stage,
            name=reference,
            build=docker.RemoteImageBuildArgs(
                context=str(ROOT),
                dockerfile=recipe.dockerfile,
                target=stage,
                build_args=arguments,
                remove=True,
            ),
            triggers={"source": digest, "base": "".join(arguments.values())},
            keep_locally=True,
            opts=self._child,
        )
        return Image(reference, image.image_id)
