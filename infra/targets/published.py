"""The images of an environment on a Swarm: made elsewhere, and found by every node."""

from __future__ import annotations

from collections.abc import Mapping

import pulumi

from infra import recipes
from infra.catalogue import POSTGRES, REDIS, Base
from infra.config.sections import ImageSettings
from infra.images import Image


class PublishedImages:
    """Images by the digest that a registry has of them, else by their tag, which follows from their content."""

    def __init__(self, settings: ImageSettings, published: Mapping[str, str]) -> None:
        """`published` has what nodes pull an image by, by its reference; no registry, and it is empty."""
        self._settings, self._published = settings, published
        self.postgres, self.redis = self.of(POSTGRES), self.of(REDIS)

    def of(self, base: Base) -> Image:
        """Return a base image."""
        return self._image(recipes.base_reference(base, self._settings))

    def built(self, stage: str) -> Image:
        """Return an image of the project's own, by its stage in `RECIPES`."""
        return self._image(recipes.reference(stage, recipes.build_arguments(stage, self._settings)))

    def _image(self, reference: str) -> Image:
        return Image(reference, pulumi.Output.from_input(self._published.get(reference, reference)))
