"""One service: its files, its data, and its container with hardening, health check, limits, labels and logging.

The modules beside this one say what is each service's own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from math import ceil

import pulumi
import pulumi_docker as docker

from infra import engine
from infra.catalogue import Base
from infra.certificates import Certificates
from infra.config.sections import ContainerSettings, HealthSettings, NetworkSettings
from infra.config.values import engine_duration, megabytes, seconds
from infra.endpoints import Endpoint
from infra.images import Image
from infra.naming import FILES_LABEL, Naming
from infra.services.files import MOUNT, NOT_UPDATED, ServiceFiles
from infra.services.health import paced
from infra.storage import DataStorage

LOG_FILES = "3"

TMP = {"/tmp": "rw,noexec,nosuid,nodev,size=64m,mode=1777"}  # noqa: S108 - the container's own, in memory

PLUGIN_MARGIN = 10
"""Seconds that the plugin waits longer than a service may take. When its own time is over it crashes, and with it what
it does for other services; `./dashtam` ends the update before that."""

TLS_VARIABLES = {
    "TLS_CA_FILE": f"{MOUNT}/ca.crt",
    "TLS_CERTIFICATE_FILE": f"{MOUNT}/tls.crt",
    "TLS_KEY_FILE": f"{MOUNT}/tls.key",
}
"""Where a server that is configured by variables finds its certificate, and the CA to verify others with."""


@dataclass(frozen=True)
class Shared:
    """What all services of an environment have in common."""

    naming: Naming
    network: pulumi.Input[str]
    reach: NetworkSettings
    certificates: Certificates
    health: HealthSettings
    containers: ContainerSettings


@dataclass(frozen=True)
class ServiceArgs:
    """What is a service's own."""

    base: Base
    command: Sequence[str]
    health: str
    """A shell command that exits with 0 when the service is ready."""
    memory: str
    env: Mapping[str, str]
    """Environment variables; never a secret."""
    files: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    """Secrets and settings by file name, besides the CA and the service's own certificate."""
    besides: Sequence[Endpoint] = ()
    """Further ports that may be published."""
    data: DataStorage = field(default_factory=DataStorage)
    mounts: Sequence[docker.ContainerMountArgs] = ()
    shared_memory: int | None = None
    """Mebibytes of /dev/shm; None: the engine's default."""
    tmpfs: Mapping[str, str] = field(default_factory=dict)
    """Mount options of writable folders in memory, besides /tmp."""


class Service(pulumi.ComponentResource):
    """A service of an environment; a subclass makes its secrets and ends with `run`.

    Services start side by side and wait for each other themselves: `up` takes as long as the slowest, not as the sum.
    """

    volume: str | None
    """The data volume's name; None where there is none."""

    def __init__(self, name: str, port: int, published: int | None, shared: Shared, parent: pulumi.Resource) -> None:
        super().__init__(f"dashtam:index:{name.capitalize()}", name, None, pulumi.ResourceOptions(parent=parent))
        reach = shared.reach
        names = tuple(dict.fromkeys((*shared.naming.hosts(name), *reach.names)))
        self.endpoint = Endpoint(name, port, published, names, reach)
        self.shared = shared
        self.child = pulumi.ResourceOptions(parent=self)

    def run(self, args: ServiceArgs) -> None:
        """Say what it runs, and declare the volume for its files."""
        self.volume, self._args = args.data.volume, args
        self.files = self._files(args)
        self.register_outputs({"volume": self.volume})

    def start(self, image: Image, installed: pulumi.Input[pulumi.Resource]) -> None:
        """Declare the container; it is done when the service is healthy. It starts once the files are installed."""
        self._container(self._args, image, installed)

    def _files(self, args: ServiceArgs) -> ServiceFiles:
        certificate = self.shared.certificates.issue(self.endpoint)
        tls = {
            "ca.crt": self.shared.certificates.ca,
            "tls.crt": certificate.certificate,
            "tls.key": certificate.key,
        }
        return ServiceFiles(self.endpoint.host, args.base.user, {**tls, **args.files}, self.shared.naming, self.child)

    def _container(self, args: ServiceArgs, image: Image, installed: pulumi.Input[pulumi.Resource]) -> None:
        shared, service = self.shared, self.endpoint.host
        name, memory = shared.naming.container(service), megabytes(args.memory)
        labels: dict[str, pulumi.Input[str]] = {**shared.naming.labels(service), FILES_LABEL: self.files.digest}
        made = docker.Container(
            name,
            name=name,
            image=image.id,
            command=list(args.command),
            user=args.base.user,
            envs=[f"{key}={value}" for key, value in sorted(args.env.items())],
            labels=[docker.ContainerLabelArgs(label=key, value=value) for key, value in labels.items()],
            networks_advanced=[docker.ContainerNetworksAdvancedArgs(name=shared.network, aliases=[service])],
            ports=_ports(self.endpoint, *args.besides),
            mounts=[*args.data.mounts, *args.mounts, self.files.mount],
            tmpfs={**TMP, **args.data.tmpfs, **args.tmpfs},
            memory=memory,
            memory_swap=memory,
            shm_size=args.shared_memory,
            init=True,
            read_only=True,
            capabilities=docker.ContainerCapabilitiesArgs(drops=["ALL"]),
            security_opts=["no-new-privileges:true"],
            healthcheck=healthcheck(args.health, shared.health),
            wait=True,
            wait_timeout=ceil(seconds(shared.health.wait)) + PLUGIN_MARGIN,
            restart=shared.containers.restart,
            destroy_grace_seconds=ceil(seconds(shared.containers.stop_grace)),
            log_driver="json-file",
            log_opts={"max-size": shared.containers.log_size, "max-file": LOG_FILES},
            opts=pulumi.ResourceOptions(
                parent=self,
                depends_on=[installed],
                delete_before_replace=True,  # its name and port are taken while the old container exists
                replace_on_changes=NOT_UPDATED,
            ),
        )
        if not pulumi.runtime.is_dry_run():
            made.id.apply(partial(_limit_processes, name, shared.containers.restart))


def _limit_processes(name: str, restart: str, container: str) -> None:
    if problem := engine.limit_processes(engine.connect(), container, restart):
        pulumi.log.warn(f"The number of processes of {name} can't be limited: {problem}")


def healthcheck(command: str, settings: HealthSettings) -> docker.ContainerHealthcheckArgs:
    """Return a health check; failures count after the time that `up` waits, or once the service has been healthy."""
    pause = seconds(settings.interval) - seconds(settings.start_interval)
    return docker.ContainerHealthcheckArgs(
        tests=["CMD-SHELL", paced(command, pause)],
        interval=engine_duration(seconds(settings.start_interval)),
        timeout=engine_duration(pause + seconds(settings.timeout)),
        retries=settings.retries,
        start_period=engine_duration(seconds(settings.wait)),
    )


def _ports(*endpoints: Endpoint) -> list[docker.ContainerPortArgs] | None:
    return [
        docker.ContainerPortArgs(internal=one.port, external=one.published, ip=one.reach.bind_address)
        for one in endpoints
        if one.published
    ] or None
