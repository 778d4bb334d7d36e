"""What the images that are built here are built from. Pure: shared by the program and the operator commands."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from infra.catalogue import (
    HAPROXY,
    NODE,
    POSTGRES,
    PYTHON,
    REDIS,
    ROOT,
    SOURCE_VARIABLE,
    Base,
    ImageSource,
    source_digest,
)
from infra.config.sections import ImageSettings
from infra.config.settings import StackSettings


@dataclass(frozen=True)
class Recipe:
    """What an image is built from, in the project's folder."""

    content: tuple[str, ...] = ()
    """What goes into it besides its packages."""
    packages: tuple[str, ...] = ("pyproject.toml", "uv.lock")
    """The files that list its packages."""
    dockerfile: str = "Dockerfile"
    base: Base = PYTHON
    """The Dockerfile takes it as `<NAME>_IMAGE`."""

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
            "infra/loopback.py",
            "infra/outputs.py",
            "tests/app_environment.py",
            "tests/certificates.py",
            "tests/conftest.py",
            "tests/durations.py",
            "tests/durations.json",
            "tests/order.py",
            "tests/proxy_header.py",
            "tests/serving.py",
            "tests/turns.py",
            "tests/unit/app",
            "tests/processes/app",
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
    """Return where the base images come from: as the stack says, else as this machine says, else the registry."""
    machine = environ.get(SOURCE_VARIABLE) or ImageSource.REGISTRY
    if machine not in set(ImageSource):
        raise ValueError(
            f"{SOURCE_VARIABLE}={machine} is not a source of images: set it to {' or '.join(ImageSource)}."
        )
    return settings.source or ImageSource(machine)


def reference(stage: str, arguments: Mapping[str, str]) -> str:
    """Return the name of an image that is built here, with a tag that follows from all that it is built from.

    `arguments` are what `build_arguments` returns: its base is part of that.
    """
    content = f"{RECIPES[stage].digest()} {json.dumps(dict(arguments), sort_keys=True)}"
    return f"dashtam/{stage}:{hashlib.sha256(content.encode()).hexdigest()[:12]}"


def base_reference(base: Base, settings: ImageSettings, environ: Mapping[str, str] = os.environ) -> str:
    """Return the reference of a base image: the config's own, or that of where this machine's images come from."""
    return getattr(settings, base.name, None) or base.reference(image_source(settings, environ))


def build_arguments(stage: str, settings: ImageSettings, environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return the only argument of an image's Dockerfile, its base, by its name."""
    base = RECIPES[stage].base
    return {f"{base.name.upper()}_IMAGE": base_reference(base, settings, environ)}


def references(settings: StackSettings, running: Collection[str], environ: Mapping[str, str] = os.environ) -> list[str]:
    """Return the images that some services of an environment on a Swarm run, the edge's among them."""
    bases = [base for base in (POSTGRES, REDIS) if base.name in running]
    built = [stage for service, stage in stages(settings).items() if service in running]
    if any(settings.ports.values()):
        bases.append(HAPROXY)
    if settings.tests.image:
        built.append("test")
    images = settings.images
    return [
        *(base_reference(base, images, environ) for base in bases),
        *(reference(stage, build_arguments(stage, images, environ)) for stage in dict.fromkeys(built)),
    ]


def stages(settings: StackSettings) -> dict[str, str]:
    """Return the stages, by service, of the services that run an image that is built here."""
    development = settings.app.build == "development"
    found = {"app": settings.app.build, "callback": settings.app.build if development else "callback"}
    return {**found, "sandbox": "sandbox"} if settings.sandbox.enabled else found
