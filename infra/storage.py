"""Where a service keeps its data: a named volume that lasts, or memory that is forgotten with the container."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pulumi
import pulumi_docker as docker

from infra.naming import Naming


@dataclass(frozen=True)
class DataStorage:
    """A data folder as a container mounts it.

    Args:
        mounts: The volume, if the data lasts.
        tmpfs: Mount options by path, if it doesn't.
        volume: The volume's name, if the data lasts.
    """

    mounts: tuple[docker.ContainerMountArgs, ...] = ()
    tmpfs: Mapping[str, str] = field(default_factory=dict)
    volume: str | None = None


def volume(name: str, labels: Mapping[str, str], *, opts: pulumi.ResourceOptions | None = None) -> docker.Volume:
    """Declare a labelled volume; it keeps the labels that it was made with, since others would replace it.

    Args:
        name: The volume's name on the engine.
        labels: Its labels.
        opts: Resource options.
    """
    pairs = [docker.VolumeLabelArgs(label=key, value=value) for key, value in labels.items()]
    kept = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(ignore_changes=["labels"]))
    return docker.Volume(name, name=name, labels=pairs, opts=kept)


def durable(
    naming: Naming,
    component: str,
    path: str,
    *,
    guards: Sequence[pulumi.Resource] = (),
    opts: pulumi.ResourceOptions | None = None,
) -> DataStorage:
    """Keep a component's data in a named volume, which Pulumi neither replaces nor deletes while it is protected.

    Args:
        naming: The environment's names.
        component: Whose data it is.
        path: Where the container keeps it.
        guards: The passwords and keys without which the data is of no use. They go after it, so that a removal which
            is broken off leaves no data that nothing opens.
        opts: Resource options.

    Returns:
        The storage.
    """
    name = naming.data_volume(component)
    guarded = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=list(guards), protect=True))
    data = volume(name, naming.labels(component), opts=guarded)
    mount = docker.ContainerMountArgs(type="volume", source=data.name, target=path)
    return DataStorage(mounts=(mount,), volume=name)


def forgotten(path: str, user: str, size_mb: int) -> DataStorage:
    """Keep a component's data in memory.

    Args:
        path: Where the container keeps it.
        user: `uid:gid` of the owner.
        size_mb: The most it may hold, in MiB.

    Returns:
        The storage.
    """
    uid, gid = user.split(":")
    return DataStorage(tmpfs={path: f"rw,noexec,nosuid,nodev,size={size_mb}m,uid={uid},gid={gid},mode=0700"})
