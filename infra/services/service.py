"""What every service's container shares: hardening, health, logging, labels, limits and its place in the network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil

import pulumi
import pulumi_docker as docker

from infra.config.sections import ContainerSettings, HealthSettings
from infra.config.values import megabytes, seconds
from infra.naming import FILES_LABEL, Naming
from infra.services import health
from infra.services.files import NOT_UPDATED, InstalledFiles

LOG_FILES = "3"
PROCESSES = 1024
"""The provider knows no pids limit; this limit counts the processes of the container's user instead."""

TMP = {"/tmp": "rw,noexec,nosuid,nodev,size=64m,mode=1777"}  # noqa: S108 - the container's own, in memory


@dataclass(frozen=True)
class Shared:
    """What is the same for all containers of an environment.

    Args:
        naming: The environment's names.
        network: The network to join.
        installer: The id of the image that installs files: one that has to be there anyway and changes rarely.
        health: How often to check, and how long to wait.
        containers: Restart policy, grace period and log size.
    """

    naming: Naming
    network: pulumi.Input[str]
    installer: pulumi.Input[str]
    health: HealthSettings
    containers: ContainerSettings


@dataclass(frozen=True)
class ServiceArgs:
    """What is a service's own.

    Args:
        image: The image's id.
        user: `uid:gid` it runs as.
        command: The command and its arguments.
        port: The port it listens on, inside.
        host_port: Where that is published on 127.0.0.1; None if it isn't.
        health: The shell command that exits with 0 when it is ready.
        memory: The limit, as in the config.
        files: Its secrets and settings.
        env: Environment variables; never a secret.
        mounts: Further mounts.
        tmpfs: Writable folders in memory, besides /tmp.
    """

    image: pulumi.Input[str]
    user: str
    command: Sequence[str]
    port: int
    host_port: int | None
    health: str
    memory: str
    files: InstalledFiles
    env: Mapping[str, str]
    mounts: Sequence[docker.ContainerMountArgs] = ()
    tmpfs: Mapping[str, str] = field(default_factory=dict)


def service(name: str, args: ServiceArgs, shared: Shared, *, parent: pulumi.Resource) -> docker.Container:
    """Declare a service's container; it is done when the service is healthy.

    Args:
        name: The service's name, and its name in the network.
        args: What is its own.
        shared: What is the same for all.
        parent: The component that it belongs to.

    Returns:
        The container.
    """
    memory = megabytes(args.memory)
    labels: dict[str, pulumi.Input[str]] = {**shared.naming.labels(name), FILES_LABEL: args.files.digest}
    return docker.Container(
        shared.naming.container(name),
        name=shared.naming.container(name),
        image=args.image,
        command=list(args.command),
        user=args.user,
        envs=[f"{key}={value}" for key, value in sorted(args.env.items())],
        labels=[docker.ContainerLabelArgs(label=key, value=value) for key, value in labels.items()],
        networks_advanced=[docker.ContainerNetworksAdvancedArgs(name=shared.network, aliases=[name])],
        ports=_ports(args),
        mounts=[*args.mounts, args.files.mount],
        tmpfs={**TMP, **args.tmpfs},
        memory=memory,
        memory_swap=memory,
        ulimits=[docker.ContainerUlimitArgs(name="nproc", soft=PROCESSES, hard=PROCESSES)],
        init=True,
        read_only=True,
        capabilities=docker.ContainerCapabilitiesArgs(drops=["ALL"]),
        security_opts=["no-new-privileges:true"],
        healthcheck=health.check(args.health, shared.health),
        wait=True,
        wait_timeout=health.plugin_wait(shared.health),
        restart=shared.containers.restart,
        destroy_grace_seconds=ceil(seconds(shared.containers.stop_grace)),
        log_driver="json-file",
        log_opts={"max-size": shared.containers.log_size, "max-file": LOG_FILES},
        opts=_options(parent, args.files),
    )


def _ports(args: ServiceArgs) -> list[docker.ContainerPortArgs] | None:
    if args.host_port is None:
        return None
    return [docker.ContainerPortArgs(internal=args.port, external=args.host_port, ip="127.0.0.1")]


def _options(parent: pulumi.Resource, files: InstalledFiles) -> pulumi.ResourceOptions:
    # Names and ports are taken while the old container exists.
    return pulumi.ResourceOptions(
        parent=parent,
        depends_on=[files.installed],
        delete_before_replace=True,
        replace_on_changes=NOT_UPDATED,
    )
