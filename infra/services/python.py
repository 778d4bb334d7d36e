"""What the two servers of the service's own code share: one command, one health check, one way to mount the source."""

from __future__ import annotations

from typing import Literal

from infra.catalogue import ROOT
from infra.endpoints import Endpoint
from infra.services.health import SCHEDULE

SOURCE = "/srv/app"

Build = Literal["development", "production"]
"""`development` mounts the source and reloads on an edit."""


def command(module: str, build: Build) -> list[str]:
    """Return the command that runs a server."""
    return ["python", "-m", module, *(["--reload"] if build == "development" else [])]


def health(own: Endpoint, path: str) -> str:
    """Return the health check of a server: a verified request from inside."""
    return f"python -m app.run.probe https://localhost:{own.port}{path} {SCHEDULE}"


def source_binds(build: Build) -> dict[str, str]:
    """Return what mounts the source, where the image holds none."""
    return {SOURCE: str(ROOT / "app")} if build == "development" else {}
