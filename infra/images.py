"""The images of one environment: pinned bases, and the service's own image with the digest of its source."""

from __future__ import annotations

import os
from dataclasses import dataclass

import pulumi
import pulumi_docker as docker

from infra.catalogue import NODE, POSTGRES, PYTHON, REDIS, ROOT, SOURCE_VARIABLE, Base, ImageSource, source_digest
from infra.settings import ImageSettings


@dataclass(frozen=True)
class Recipe:
    """What an image is built from, in the project's folder.

    Args:
        content: What goes into it besides its packages.
        packages: What says which packages.
        dockerfile: Its Dockerfile.
        base: What it stands on; the Dockerfile takes it as `<NAME>_IMAGE`.
    """

    content: tuple[str, ...] = ()
    packages: tuple[str, ...] = ("pyproject.toml", "uv.lock")
    dockerfile: str = "Dockerfile"
    base: Base = PYTHON

    def digest(self) -> str:
        """Return the digest of all that it is built from."""
        names = (self.dockerfile, ".dockerignore", *self.packages, *self.content)
        return source_digest(*(ROOT / name for name in names))


RECIPES = {
    "development": Recipe(),
    "production": Recipe(("app",)),
    "callback": Recipe(("app",)),
    "test": Recipe(
        (
            "app",
            "infra/__init__.py",
            "infra/outputs.py",
            "tests/conftest.py",
            "tests/unit/app",
            "tests/integration",
            "tests/api",
            "tests/smoke",
            "tests/e2e",
        )
    ),
    "sandbox": Recipe(
        ("sandbox/src",),
        ("sandbox/package.json", "sandbox/package-lock.json", "sandbox/.npmrc"),
        "sandbox/Dockerfile",
        NODE,
    ),
}
"""The images built here, by their stage; development mounts its source instead."""


def image_source(settings: ImageSettings) -> ImageSource:
    """Return where the base images come from.

    Args:
        settings: The stack's wish, if it has one.

    Returns:
        The stack's wish, else this machine's, else the registry.

    Raises:
        ValueError: This machine's choice is no source.
    """
    machine = os.environ.get(SOURCE_VARIABLE) or ImageSource.REGISTRY
    if machine not in set(ImageSource):
        raise ValueError(f"{SOURCE_VARIABLE}={machine} is no source of images: set it to {' or '.join(ImageSource)}.")
    return settings.source or ImageSource(machine)


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
        self._source = image_source(settings)
        self._overrides = {PYTHON: settings.python, NODE: settings.node}
        self.postgres = self._base(POSTGRES, settings.postgres)
        self.redis = self._base(REDIS, settings.redis)
        self.register_outputs({})

    def _base(self, base: Base, override: str | None) -> Image:
        reference = override or base.reference(self._source)
        image = docker.RemoteImage(base.name, name=reference, keep_locally=True, opts=self._child)
        return Image(reference, image.image_id)

    def built(self, stage: str) -> Image:
        """Declare an image that is built here.

        Args:
            stage: One of `RECIPES`, and the stage of its Dockerfile.

        Returns:
            The image; its tag follows from everything that it is built from.
        """
        recipe = RECIPES[stage]
        digest = recipe.digest()
        base = self._overrides[recipe.base] or recipe.base.reference(self._source)
        reference = f"dashtam/{stage}:{digest[:12]}"
        image = docker.RemoteImage(
            stage,
            name=reference,
            build=docker.RemoteImageBuildArgs(
                context=str(ROOT),
                dockerfile=recipe.dockerfile,
                target=stage,
                build_args={f"{recipe.base.name.upper()}_IMAGE": base},
                remove=True,
            ),
            triggers={"source": digest, "base": base},
            keep_locally=True,
            opts=self._child,
        )
        return Image(reference, image.image_id)
