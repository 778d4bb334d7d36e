"""What a command works with: this clone, Pulumi and the engine, on a machine that is set up."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, cast

import docker

from cli.core.paths import data_home
from cli.engine.inventory import EngineView
from cli.engine.swarm import SwarmView
from cli.environments import (
    clone,
    git_filter,
    kept_elsewhere,
    named_environments,
    passphrase,
    targets,
    tool_environment,
)
from cli.environments.clone import Clone
from cli.environments.configuration import announce_skipped
from cli.environments.handle import EnvironmentHandle
from cli.images import build, build_ca, source
from cli.machine import setup
from cli.operations import clock_and_disk
from cli.pulumi.process import Pulumi
from infra import identity
from infra.catalogue import SOURCE_VARIABLE, ImageSource
from infra.engine import client_of


@dataclass(frozen=True)
class Session:
    """What a command works with; `image_source` is None where it needs no images, `install` is that of `prepare`."""

    clone: Clone
    environ: dict[str, str]
    image_source: ImageSource | None
    install: bool = True

    @cached_property
    def pulumi(self) -> Pulumi:
        """Pulumi in this clone."""
        return Pulumi(self.environ, self.clone.root)

    @cached_property
    def client(self) -> docker.DockerClient:
        """The engine's client; several threads may send requests with it."""
        return self.connect()

    def connect(self) -> docker.DockerClient:
        """Return another client of the engine."""
        return client_of(self.environ)

    @cached_property
    def engine(self) -> EngineView:
        """The engine, seen by labels."""
        return targets.view(self.client, self.clone.root)

    def environment(self, stack: str) -> EnvironmentHandle:
        """Return an environment of this clone."""
        return EnvironmentHandle(stack, self.clone, self.engine)

    @property
    def swarm(self) -> SwarmView:
        """The same, for an environment that is on a Swarm."""
        return cast(SwarmView, self.engine)

    def require_images(self) -> None:
        """Make the base images that the engine lacks, which takes minutes."""
        if self.image_source:
            build.ensure(self.client, self.image_source, install=self.install)


def prepare(
    *, install: bool = True, needs: Literal["nothing", "engine", "images"] = "images", stacks: bool = True
) -> Session:
    """Set up this machine and this clone.

    Args:
        install: Whether what is missing may be installed; else it is an error.
        needs: Whether an engine must answer, and whether it is to have base images; `require_images` makes them.
        stacks: Whether every environment is to have a stack, whose secrets Pulumi can read.
    """
    clock_and_disk.require_home(data_home())
    announce_skipped()
    here = clone.current()
    if stacks:
        passphrase.require(here)
    variables = setup.prepare(install=install, need_engine=needs != "nothing")
    environ = tool_environment.of(here, {**os.environ, **variables})
    session = Session(here, environ, None)
    home = clone.unseen_home(here)
    if home and needs != "nothing":
        kept_elsewhere.require_known(here, session.engine, home, environ)
        identity.write(here.root, here.id, data_home())
        home = ""
    if needs == "images":
        chosen = source.decide(session.client)
        session = Session(here, {**environ, SOURCE_VARIABLE: chosen.value}, chosen, install)
        build_ca.provide(here.root, build_ca.bundle())
    named_environments.restore(here)
    if not home:  # else the config's salts may be those of the state in that home
        passphrase.forget_another(here)
    if stacks and not home:
        named_environments.create_stacks(session.pulumi, here)
    git_filter.keep_out_of_git(here)
    return session
