"""What the two servers of the service's own code share: one command, one health check, one way to mount the source."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import pulumi
import pulumi_docker as docker

from infra.catalogue import PYTHON, ROOT
from infra.images import Image
from infra.services.service import TLS_VARIABLES, Service, ServiceArgs

SOURCE = "/srv/app"

Build = Literal["development", "production"]


@dataclass(frozen=True)
class PythonArgs:
    """What is one server's own."""

    image: Image
    module: str
    build: Build
    """`development` mounts the source and reloads on an edit."""
    health_path: str
    memory: str
    env: Mapping[str, str]
    files: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)


class PythonService(Service):
    """A server of the service's own code."""

    def serve(self, args: PythonArgs) -> None:
        """Declare it."""
        self.run(
            ServiceArgs(
                image=args.image,
                base=PYTHON,
                command=command(args.module, args.build),
                # A verified request from inside.
                health=f"python -m app.probe https://localhost:{self.endpoint.port}{args.health_path}",
                memory=args.memory,
                env={"ENVIRONMENT": self.shared.naming.name, **args.env, **TLS_VARIABLES},
                files=args.files,
                mounts=source_mounts(args.build),
            )
        )


def command(module: str, build: Build) -> list[str]:
    """Return the command that runs a module."""
    return ["python", "-m", module, *(["--reload"] if build == "development" else [])]


def source_mounts(build: Build) -> list[docker.ContainerMountArgs]:
    """Return the read-only mount of the source, where the image holds none."""
    if build != "development":
        return []
    return [docker.ContainerMountArgs(type="bind", source=str(ROOT / "app"), target=SOURCE, read_only=True)]
