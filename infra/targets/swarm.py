"""A Docker Swarm: a service of replicas for each service, every file a secret, and an edge that publishes ports.

Names resolve to replicas by DNS round robin alone (`dnsrr`), so no node's kernel needs IP_VS. `./dashtam doctor` lists
what an engine does and a Swarm doesn't.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pulumi
import pulumi_docker as docker

from infra.catalogue import HAPROXY
from infra.config.settings import StackSettings
from infra.config.values import megabytes, seconds
from infra.endpoints import Endpoint
from infra.images import Image
from infra.naming import EDGE, PROJECT, WITH_DATA, Naming
from infra.services import edge
from infra.services.health import once_ready, timing
from infra.targets.published import PublishedImages, login
from infra.targets.rollout import duration, rollout
from infra.targets.target import Target, pairs
from infra.targets.workload import LOG_FILES, MOUNT, Workload

MEBIBYTE = 1024 * 1024
SHM = "/dev/shm"  # noqa: S108 - the container's own
RESTART_DELAY = "5s"
"""Before what ended is started again: a start takes seconds of a processor, which others of the node need."""

EDGE_MEMORY = "256m"
EDGE_STOP_SECONDS = 5
"""Between the end of the edge's connections and of its grace period."""

LONGEST_NAME = 23
"""The most of an environment's name in a secret's, which has at most 64 characters, eight of them made up."""


class SwarmTarget(Target):
    """The Swarm of which the provider's engine is a manager."""

    images: PublishedImages

    def __init__(
        self, naming: Naming, settings: StackSettings, published: Mapping[str, str], parent: pulumi.Resource
    ) -> None:
        super().__init__(naming, settings, parent)
        self.images = PublishedImages(settings.images, published)
        overlay = docker.Network(
            "network",
            name=naming.network,
            driver="overlay",
            attachable=True,
            internal=settings.network.internal,
            options={"encrypted": ""} if settings.target.encrypted else None,
            labels=pairs(docker.NetworkLabelArgs, naming.labels("network")),
            # A refresh finds the VXLAN's number among them, and no network can be replaced while services use it.
            opts=pulumi.ResourceOptions.merge(
                self.child, pulumi.ResourceOptions(ignore_changes=["options"], delete_before_replace=True)
            ),
        )
        self.network, self._network_id = overlay.name, overlay.id
        self._data_node = str(settings.target.data_node)
        host = settings.target.nodes[self._data_node]
        self.volume_options = pulumi.ResourceOptions(provider=docker.Provider("data-node", host=host, opts=self.child))
        # There with and without a login: Pulumi replaces what gets another provider.
        logins = login(settings.target.registry) if settings.target.registry else []
        self._manager = docker.Provider("manager", registry_auth=logins or None, opts=self.child)
        self._secrets: dict[str, list[docker.ServiceTaskSpecContainerSpecSecretArgs]] = {}

    def prepare(self, workload: Workload, opts: pulumi.ResourceOptions) -> None:
        """Declare its secrets."""
        super().prepare(replace(workload, env={**workload.env, **self._variables(workload)}), opts)
        self._secrets[workload.name] = [
            self._secret(workload, name, content, opts) for name, content in workload.files.items()
        ]

    def start(self, running: Mapping[str, Image]) -> None:
        """Declare the services, and the edge in front of them, which finds them once they are there."""
        routed = [self._workloads[name][0] for name in running]
        published = [(one, port) for one in routed for port in one.ports if port.published]
        for name, image in running.items():
            workload, opts = self._workloads[name]
            self._service(workload, image, opts)
        if published:
            workload = self._edge(published, routed[0].files["ca.crt"])
            self.prepare(workload, self.child)
            self._service(workload, self.images.of(HAPROXY), self.child)
        names = [*running, *([EDGE] if published else [])]
        self.facts = {
            "kind": "swarm",
            "data_node": self._data_node,
            "nodes": self.settings.target.nodes,
            "services": {name: self.naming.container(name) for name in names},
            "replicas": {name: self._replicas(name) for name in running},
        }

    def _replicas(self, name: str) -> int:
        return int(getattr(self.settings.target.replicas, name, 1))

    def _variables(self, workload: Workload) -> dict[str, str]:
        """Variables for draining, and a PGDATA below the root-owned tmpfs."""
        if workload.proxy_port:
            return {
                "DRAIN_SECONDS": f"{seconds(self.settings.target.drain):g}",
                **({"EDGE_PORT": str(workload.proxy_port)} if workload.ports[0].published else {}),
            }
        return {"PGDATA": f"{workload.base.data}/pgdata"} if workload.data.memory and "PGDATA" in workload.env else {}

    def _edge(self, published: Sequence[tuple[Workload, Endpoint]], ca: pulumi.Input[str]) -> Workload:
        grace = seconds(self.settings.containers.stop_grace)
        routes = [
            edge.Route(
                port,
                f"tasks.{self.naming.container(one.name)}",
                self._replicas(one.name),
                one.proxy_port if port is one.ports[0] else None,
            )
            for one, port in published
        ]
        config = edge.configuration(routes, f"{MOUNT}/ca.crt", max(1, grace - EDGE_STOP_SECONDS))
        return Workload(
            name=EDGE,
            base=HAPROXY,
            command=["haproxy", "-W", "-db", "-f", f"{MOUNT}/{edge.CONFIG}"],
            readiness=edge.health(routes),
            memory=EDGE_MEMORY,
            env={},
            files={"ca.crt": ca, edge.CONFIG: config},
            ports=[port for _, port in published],
        )

    def _secret(
        self, workload: Workload, file: str, content: pulumi.Input[str], opts: pulumi.ResourceOptions
    ) -> docker.ServiceTaskSpecContainerSpecSecretArgs:
        # Its name is made up by Pulumi: no secret can be changed, and none removed while a service has it.
        made = docker.Secret(
            f"{PROJECT}-{self.naming.name[:LONGEST_NAME]}-{workload.name}-{file}",
            data=pulumi.Output.secret(content).apply(lambda text: base64.b64encode(text.encode()).decode()),
            labels=pairs(docker.SecretLabelArgs, self.naming.labels(workload.name)),
            opts=opts,
        )
        uid, _, gid = workload.base.user.partition(":")
        return docker.ServiceTaskSpecContainerSpecSecretArgs(
            secret_id=made.id,
            secret_name=made.name,
            file_name=f"{MOUNT}/{file}",
            file_uid=uid,
            file_gid=gid,
            file_mode=0o400,
        )

    def _service(self, workload: Workload, image: Image, opts: pulumi.ResourceOptions) -> None:
        name, labels = self.naming.container(workload.name), self.naming.labels(workload.name)
        docker.Service(
            name,
            name=name,
            labels=pairs(docker.ServiceLabelArgs, labels),
            task_spec=self._task(workload, image, labels),
            endpoint_spec=docker.ServiceEndpointSpecArgs(
                mode="dnsrr", ports=_ports(workload.ports) if workload.name == EDGE else []
            ),
            **rollout(workload.name, self._replicas(workload.name), self.settings),
            opts=pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(provider=self._manager)),
        )

    def _task(self, workload: Workload, image: Image, labels: Mapping[str, str]) -> docker.ServiceTaskSpecArgs:
        check = once_ready(workload.readiness, workload.liveness) if workload.liveness else workload.readiness
        containers = self.settings.containers
        return docker.ServiceTaskSpecArgs(
            container_spec=docker.ServiceTaskSpecContainerSpecArgs(
                image=image.id,
                args=list(workload.command),
                user=workload.base.user,
                env=dict(workload.env),
                labels=pairs(docker.ServiceTaskSpecContainerSpecLabelArgs, labels),
                mounts=_mounts(workload),
                secrets=self._secrets[workload.name],
                init=True,
                read_only=True,
                cap_drops=["ALL"],
                healthcheck=docker.ServiceTaskSpecContainerSpecHealthcheckArgs(
                    **timing(check, self.settings.health, duration)
                ),
                stop_grace_period=duration(seconds(containers.stop_grace)),
            ),
            resources=docker.ServiceTaskSpecResourcesArgs(
                limits=docker.ServiceTaskSpecResourcesLimitsArgs(memory_bytes=megabytes(workload.memory) * MEBIBYTE)
            ),
            restart_policy=docker.ServiceTaskSpecRestartPolicyArgs(condition="any", delay=RESTART_DELAY, window="0s"),
            placement=docker.ServiceTaskSpecPlacementArgs(
                constraints=[f"node.hostname=={self._data_node}"] if workload.name in WITH_DATA else None
            ),
            networks_advanceds=[
                docker.ServiceTaskSpecNetworksAdvancedArgs(id=self._network_id, aliases=[workload.name])
            ],
            log_driver=docker.ServiceTaskSpecLogDriverArgs(
                name="json-file", options={"max-size": containers.log_size, "max-file": LOG_FILES}
            ),
        )


def _mounts(workload: Workload) -> list[docker.ServiceTaskSpecContainerSpecMountArgs]:
    """Return the volume of its data, and folders in memory: without a size, which the built plugin can't send.

    A volume of the kind tmpfs would have a size and an owner, but the engine leaves one behind for each container.
    """
    memories = [*(one.path for one in workload.all_memories), *([SHM] if workload.shared_memory else [])]
    found = [docker.ServiceTaskSpecContainerSpecMountArgs(type="tmpfs", target=path) for path in memories]
    if workload.data.declared is not None:
        source, target = workload.data.declared, workload.base.data
        found.append(docker.ServiceTaskSpecContainerSpecMountArgs(type="volume", source=source, target=target))
    return found


def _ports(endpoints: Sequence[Endpoint]) -> list[docker.ServiceEndpointSpecPortArgs]:
    return [
        docker.ServiceEndpointSpecPortArgs(
            protocol="tcp", target_port=one.port, published_port=one.published, publish_mode="host"
        )
        for one in endpoints
        if one.published
    ]
