"""The images of one environment: pinned bases, and the service's own image with the digest of its source."""

from __future__ import annotations

import os
from dataclasses import dataclass

import pulumi
import pulumi_docker as docker

from infra.catalogue import POSTGRES, PYTHON, REDIS, ROOT, SOURCE_VARIABLE, Base, ImageSource, source_digest
from infra.settings import ImageSettings

_RECIPE = (ROOT / "Dockerfile", ROOT / ".dockerignore", ROOT / "pyproject.toml", ROOT / "uv.lock")
_CONTENT = {
    "development": (),
    "production": (ROOT / "app",),
    "callback": (ROOT / "app",),
    "test": (
        ROOT / "app",
        ROOT / "infra/__init__.py",
        ROOT / "infra/outputs.py",
        ROOT / "tests/conftest.py",
        ROOT / "tests/unit/app",
        ROOT / "tests/integration",
        ROOT / "tests/api",
        ROOT / "tests/smoke",
        ROOT / "tests/e2e",
    ),
}
"""What goes into each stage of the Dockerfile besides the dependencies; development mounts its source instead."""


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
        self._python = settings.python or PYTHON.reference(self._source)
        self.postgres = self._base(POSTGRES, settings.postgres)
        self.redis = self._base(REDIS, settings.redis)
        self.register_outputs({})

    def _base(self, base: Base, override: str | None) -> Image:
        reference = override or base.reference(self._source)
        image = docker.RemoteImage(base.name, name=reference, keep_locally=True, opts=self._child)
        return Image(reference, image.image_id)

    def built(self, stage: str) -> Image:
        """Declare an image of the service, built from the Dockerfile.

        Args:
            stage: The Dockerfile's stage: `development`, `production`, `callback` or `test`.

        Returns:
            The image; its tag follows from everything that it is built from.
        """
        digest = source_digest(*_RECIPE, *_CONTENT[stage])
        reference = f"dashtam/{stage}:{digest[:12]}"
        image = docker.RemoteImage(
            stage,
            name=reference,
            build=docker.RemoteImageBuildArgs(
                context=str(ROOT), target=stage, build_args={"PYTHON_IMAGE": self._python}, remove=True
            ),
            triggers={"source": digest, "base": self._python},
            keep_locally=True,
            opts=self._child,
        )
        return Image(reference, image.image_id)
