"""One Docker engine: a container for each service, hardened, limited, and reachable where the config publishes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property, partial
from math import ceil
from typing import TYPE_CHECKING

import pulumi
import pulumi_docker as docker

from infra import engine
from infra.config.settings import StackSettings
from infra.config.values import megabytes, seconds
from infra.endpoints import Endpoint
from infra.images import BuiltImages, Image
from infra.naming import FILES_LABEL, SERVICES, Naming
from infra.services.health import timing
from infra.targets.files import NOT_UPDATED, ServiceFiles, install, installed_digest, succeeded
from infra.targets.target import Target, pairs
from infra.targets.workload import LOG_FILES, Workload

if TYPE_CHECKING:
    from docker import DockerClient

PLUGIN_MARGIN = 10
"""Seconds that the plugin waits longer than a service may take. When its own time is over it crashes, and with it what
it does for other services; `./dashtam` ends the update before that."""


class EngineTarget(Target):
    """The engine that the provider uses."""

    def __init__(self, naming: Naming, settings: StackSettings, parent: pulumi.Resource) -> None:
        super().__init__(naming, settings, parent)
        self.images = BuiltImages(settings.images, parent)
        self.network = docker.Network(
            "network",
            name=naming.network,
            driver="bridge",
            internal=settings.network.internal,
            labels=pairs(docker.NetworkLabelArgs, naming.labels("network")),
            # Two networks of one name can exist, and what is connected to the first keeps that from being deleted.
            opts=pulumi.ResourceOptions.merge(self.child, pulumi.ResourceOptions(delete_before_replace=True)),
        ).name
        self._files: dict[str, ServiceFiles] = {}

    def prepare(self, workload: Workload, opts: pulumi.ResourceOptions) -> None:
        """Declare the volume for its files."""
        super().prepare(workload, opts)
        self._files[workload.name] = ServiceFiles(workload, self, opts)

    def start(self, running: Mapping[str, Image]) -> None:
        """Declare the containers; they start once their files are installed."""
        # An image that is there anyway and changes rarely.
        shell = self.images.postgres.id
        files = [self._files[name] for name in SERVICES if name in self._files]
        installer = install(files, self.naming, shell, self.child)
        for name, image in running.items():
            self._container(*self._workloads[name], image, installer)

    def _container(
        self,
        workload: Workload,
        opts: pulumi.ResourceOptions,
        image: Image,
        installer: docker.Container,
    ) -> None:
        files, containers = self._files[workload.name], self.settings.containers
        name, memory = self.naming.container(workload.name), megabytes(workload.memory)
        digest = installed_digest(installer, workload.name)
        labels: dict[str, pulumi.Input[str]] = {**self.naming.labels(workload.name), FILES_LABEL: digest}
        made = docker.Container(
            name,
            name=name,
            image=image.id,
            command=list(workload.command),
            user=workload.base.user,
            envs=[f"{key}={value}" for key, value in sorted(workload.env.items())],
            labels=pairs(docker.ContainerLabelArgs, labels),
            networks_advanced=[docker.ContainerNetworksAdvancedArgs(name=self.network, aliases=[workload.name])],
            ports=_ports(workload.ports),
            mounts=[*_mounts(workload), files.mount],
            tmpfs={one.path: one.options for one in workload.all_memories},
            memory=memory,
            memory_swap=memory,
            shm_size=workload.shared_memory,
            init=True,
            read_only=True,
            capabilities=docker.ContainerCapabilitiesArgs(drops=["ALL"]),
            security_opts=["no-new-privileges:true"],
            healthcheck=docker.ContainerHealthcheckArgs(**timing(workload.readiness, self.settings.health)),
            wait=True,
            wait_timeout=ceil(seconds(self.settings.health.wait)) + PLUGIN_MARGIN,
            restart=containers.restart,
            destroy_grace_seconds=ceil(seconds(containers.stop_grace)),
            log_driver="json-file",
            log_opts={"max-size": containers.log_size, "max-file": LOG_FILES},
            opts=pulumi.ResourceOptions.merge(
                opts,
                pulumi.ResourceOptions(
                    depends_on=[succeeded(installer, self.naming)],
                    delete_before_replace=True,  # its name and port are taken while the old container exists
                    replace_on_changes=NOT_UPDATED,
                ),
            ),
        )
        if not pulumi.runtime.is_dry_run():
            made.id.apply(partial(self._limit_processes, name))

    def _limit_processes(self, name: str, container: str) -> None:
        try:
            problem = engine.limit_processes(self._client, container, self.settings.containers.restart)
            self._client.close()  # another container may take minutes, in which an idle connection can be lost
        except engine.EngineError as error:
            problem = str(error)
        if problem:
            pulumi.log.warn(f"The number of processes of {name} can't be limited: {problem}")

    @cached_property
    def _client(self) -> DockerClient:
        return engine.connect()


def _mounts(workload: Workload) -> list[docker.ContainerMountArgs]:
    data, target = workload.data.declared, workload.base.data
    volumes = [docker.ContainerMountArgs(type="volume", source=data, target=target)] if data is not None else []
    binds = [
        docker.ContainerMountArgs(type="bind", source=source, target=folder, read_only=True)
        for folder, source in workload.binds.items()
    ]
    return [*volumes, *binds]


def _ports(endpoints: Sequence[Endpoint]) -> list[docker.ContainerPortArgs] | None:
    return [
        docker.ContainerPortArgs(internal=one.port, external=one.published, ip=one.reach.bind_address)
        for one in endpoints
        if one.published
    ] or None
