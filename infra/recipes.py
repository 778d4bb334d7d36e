"""What the images that are built here are built from. Pure: shared by the program and the operator commands."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass

from infra.catalogue import NODE, PYTHON, ROOT, SOURCE_VARIABLE, Base, ImageSource, source_digest
from infra.config.sections import ImageSettings
from infra.config.settings import StackSettings


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
            "infra/identity.py",
            "infra/outputs.py",
            "tests/conftest.py",
            "tests/durations.py",
            "tests/durations.json",
            "tests/turns.py",
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


def image_source(settings: ImageSettings, environ: Mapping[str, str] = os.environ) -> ImageSource:
    """Return where the base images come from.

    Args:
        settings: The stack's wish, if it has one.
        environ: Where this machine's choice is.

    Returns:
        The stack's wish, else this machine's, else the registry.

    Raises:
        ValueError: This machine's choice is no source.
    """
    machine = environ.get(SOURCE_VARIABLE) or ImageSource.REGISTRY
    if machine not in set(ImageSource):
        raise ValueError(f"{SOURCE_VARIABLE}={machine} is no source of images: set it to {' or '.join(ImageSource)}.")
    return settings.source or ImageSource(machine)


def reference(stage: str, arguments: Mapping[str, str]) -> str:
    """Return the name and tag of an image that is built here.

    Args:
        stage: One of `RECIPES`.
        arguments: What `build_arguments` gave.

    Returns:
        The reference; its tag follows from everything that the image is built from, its base too.
    """
    content = f"{RECIPES[stage].digest()} {json.dumps(dict(arguments), sort_keys=True)}"
    return f"dashtam/{stage}:{hashlib.sha256(content.encode()).hexdigest()[:12]}"


def build_arguments(stage: str, settings: ImageSettings, environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return the arguments of an image's Dockerfile: what it stands on.

    Args:
        stage: One of `RECIPES`.
        settings: Sources and overrides.
        environ: Where this machine's choice of a source is.

    Returns:
        The only argument, by its name.
    """
    base = RECIPES[stage].base
    override = {PYTHON: settings.python, NODE: settings.node}[base]
    return {f"{base.name.upper()}_IMAGE": override or base.reference(image_source(settings, environ))}


def stages(settings: StackSettings) -> dict[str, str]:
    """Return which services of an environment run an image that is built here.

    Args:
        settings: The stack's config.

    Returns:
        Stages by service.
    """
    development = settings.app.build == "development"
    found = {"app": settings.app.build, "callback": settings.app.build if development else "callback"}
    return {**found, "sandbox": "sandbox"} if settings.sandbox.enabled else found
