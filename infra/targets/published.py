"""The images of an environment on a Swarm: made elsewhere, and found by every node."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import pulumi
import pulumi_docker as docker

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


def login(registry: str, environ: Mapping[str, str] = os.environ) -> list[docker.ProviderRegistryAuthArgs]:
    """Return where the plugin finds the login of `docker login`, which nodes are to pull with; none, if there is none.

    The state has the file's name, and the Swarm the login, as from `docker service create --with-registry-auth`.
    """
    file = Path(environ.get("DOCKER_CONFIG") or "~/.docker", "config.json").expanduser().absolute()
    with suppress(OSError):  # its folder may be another user's
        if file.is_file():
            return [docker.ProviderRegistryAuthArgs(address=registry.partition("/")[0], config_file=str(file))]
    return []
