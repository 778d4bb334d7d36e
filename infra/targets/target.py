"""What an environment asks of where it runs."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

import pulumi
import pulumi_docker as docker

from infra.catalogue import Base
from infra.config.sections import PostgresSettings, RedisSettings
from infra.config.settings import StackSettings
from infra.config.values import megabytes
from infra.images import BuiltImages, Image
from infra.naming import Naming
from infra.targets.published import PublishedImages
from infra.targets.workload import Data, Memory, Workload


class Target(ABC):
    """A place for one environment: its network, images, files and data, and what runs its services."""

    images: BuiltImages | PublishedImages
    network: pulumi.Input[str]
    """The network's name."""
    facts: dict[str, Any] | None = None
    """What the outputs say of it once it is started, in the shape of `infra.outputs.Target`; None for an engine."""

    def __init__(self, naming: Naming, settings: StackSettings, parent: pulumi.Resource) -> None:
        self.naming, self.settings = naming, settings
        self.child = pulumi.ResourceOptions(parent=parent)
        self.volume_options = pulumi.ResourceOptions()
        self._workloads: dict[str, tuple[Workload, pulumi.ResourceOptions]] = {}

    def prepare(self, workload: Workload, opts: pulumi.ResourceOptions) -> None:
        """Declare what a service has whether it runs or not, as a child of it."""
        self._workloads[workload.name] = workload, opts

    @abstractmethod
    def start(self, running: Mapping[str, Image]) -> None:
        """Declare what runs the services, by name; they are done when these are healthy."""

    def data(
        self,
        base: Base,
        settings: PostgresSettings | RedisSettings,
        *,
        needs: Sequence[pulumi.Resource] = (),
        opts: pulumi.ResourceOptions,
    ) -> Data:
        """Declare where a service keeps its data.

        A volume is protected, so Pulumi neither replaces nor deletes it. What its data `needs`, passwords and keys, is
        deleted after it, so that an interrupted removal leaves no data that nothing opens.
        """
        if settings.storage == "tmpfs":
            return Data(memory=Memory(base.data, megabytes(settings.tmpfs_size), "0700", base.user))
        name = self.naming.data_volume(base.name)
        guarded = pulumi.ResourceOptions(depends_on=list(needs), protect=True)
        made = self.volume(name, self.naming.labels(base.name), pulumi.ResourceOptions.merge(opts, guarded))
        return Data(name, made.name)

    def volume(self, name: str, labels: Mapping[str, str], opts: pulumi.ResourceOptions) -> docker.Volume:
        """Declare a labelled volume; it keeps the labels that it was made with, since others would replace it."""
        # A second volume of one name would be the first one.
        lasting = pulumi.ResourceOptions(ignore_changes=["labels"], delete_before_replace=True)
        kept = pulumi.ResourceOptions.merge(self.volume_options, lasting)
        merged = pulumi.ResourceOptions.merge(opts, kept)
        return docker.Volume(name, name=name, labels=pairs(docker.VolumeLabelArgs, labels), opts=merged)


def pairs(kind: type[Any], labels: Mapping[str, pulumi.Input[str]]) -> list[Any]:
    """Return labels as a kind of resource takes them."""
    return [kind(label=key, value=value) for key, value in labels.items()]
