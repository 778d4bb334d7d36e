"""Where a service keeps its data: a named volume that lasts, or memory that is lost with the container."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pulumi
import pulumi_docker as docker

from infra.catalogue import Base
from infra.config.sections import PostgresSettings, RedisSettings
from infra.config.values import megabytes
from infra.naming import Naming


@dataclass(frozen=True)
class DataStorage:
    """A data folder as a container mounts it: one mount, or the options of one tmpfs by its path."""

    mounts: tuple[docker.ContainerMountArgs, ...] = ()
    tmpfs: Mapping[str, str] = field(default_factory=dict)
    volume: str | None = None
    """The volume's name, if the data lasts."""


def volume(name: str, labels: Mapping[str, str], *, opts: pulumi.ResourceOptions) -> docker.Volume:
    """Declare a labelled volume; it keeps the labels that it was made with, since others would replace it."""
    pairs = [docker.VolumeLabelArgs(label=key, value=value) for key, value in labels.items()]
    options = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(ignore_changes=["labels"]))
    return docker.Volume(name, name=name, labels=pairs, opts=options)


def data(
    base: Base,
    settings: PostgresSettings | RedisSettings,
    naming: Naming,
    *,
    needs: Sequence[pulumi.Resource] = (),
    opts: pulumi.ResourceOptions,
) -> DataStorage:
    """Declare where a service keeps its data.

    A volume is protected, so Pulumi neither replaces nor deletes it. `needs` are the passwords and keys without which
    its data is of no use: they are deleted after it, so that a removal which is interrupted leaves no data that nothing
    opens.
    """
    if settings.storage == "tmpfs":
        uid, gid = base.user.split(":")
        size = megabytes(settings.tmpfs_size)
        return DataStorage(tmpfs={base.data: f"rw,noexec,nosuid,nodev,size={size}m,uid={uid},gid={gid},mode=0700"})
    name = naming.data_volume(base.name)
    guarded = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=list(needs), protect=True))
    made = volume(name, naming.labels(base.name), opts=guarded)
    return DataStorage(
        mounts=(docker.ContainerMountArgs(type="volume", source=made.name, target=base.data),), volume=name
    )
