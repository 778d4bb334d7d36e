"""Secrets and settings as files that one service can read, and nobody else.

A container whose root file system is read-only takes no uploads, and an upload is always root's and readable by all.
So a short-lived container without network takes the files and installs them, owned by the reader and with mode 0400,
into a volume that the service then mounts read-only.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_docker as docker

from infra import engine
from infra.catalogue import POSTGRES
from infra.naming import MOUNT, Naming
from infra.storage import volume

LOG_LINES = 5
"""How much of an installer's log an error shows."""

NOT_UPDATED = ["healthcheck", "init", "mounts", "tmpfs"]
"""What the plugin silently leaves as it was in an update of a container; it updates or replaces the rest itself."""

_UPLOADS = "/install"
_MEMORY_MB = 64


@dataclass(frozen=True)
class FilesArgs:
    """What to install for a service."""

    naming: Naming
    service: str
    installer: pulumi.Input[str]
    """The id of an image with a shell."""
    user: str
    """`uid:gid` of the reader."""
    files: Mapping[str, pulumi.Input[str]]
    """Content by file name; a TLS key is among them."""


class InstalledFiles(pulumi.ComponentResource):
    """The files of one service, installed."""

    mount: docker.ContainerMountArgs
    digest: pulumi.Output[str]
    """Changes with the files' content. It is no secret: a TLS key is part of what it is made of."""
    installed: pulumi.Output[pulumi.Resource]
    """What the service depends on; it fails where the files could not be installed."""

    def __init__(self, args: FilesArgs, opts: pulumi.ResourceOptions) -> None:
        super().__init__("dashtam:index:InstalledFiles", f"{args.service}-files", None, opts)
        child = pulumi.ResourceOptions(parent=self)
        name = f"{args.naming.container(args.service)}-files"
        target = volume(args.naming.files_volume(args.service), args.naming.labels(args.service), opts=child)
        installer = _installer(name, args, target, child)
        self.digest = pulumi.Output.unsecret(pulumi.Output.all(**args.files).apply(_digest))
        self.installed = installer.exit_code.apply(lambda status: _require_success(installer, name, status))
        self.mount = docker.ContainerMountArgs(type="volume", source=target.name, target=MOUNT, read_only=True)
        self.register_outputs({"volume": target.name})


def _installer(name: str, args: FilesArgs, target: docker.Volume, opts: pulumi.ResourceOptions) -> docker.Container:
    labels = args.naming.labels(f"{args.service}-files")
    return docker.Container(
        name,
        name=name,
        image=args.installer,
        entrypoints=["sh", "-euc"],
        command=[install_script(args.user, list(args.files))],
        uploads=[
            docker.ContainerUploadArgs(file=f"{_UPLOADS}/{file}", content=content)
            for file, content in args.files.items()
        ],
        mounts=[docker.ContainerMountArgs(type="volume", source=target.name, target=MOUNT)],
        # Root alone can give files away; it has no network and no way to gain privileges.
        user="0:0",
        capabilities=docker.ContainerCapabilitiesArgs(drops=["ALL"], adds=["CHOWN", "DAC_OVERRIDE", "FOWNER"]),
        security_opts=["no-new-privileges:true"],
        network_mode="none",
        memory=_MEMORY_MB,
        memory_swap=_MEMORY_MB,
        # The image declares it a volume: without this the engine would make an unnamed one.
        tmpfs={POSTGRES.data: "size=1m"},
        must_run=False,
        attach=True,
        labels=[docker.ContainerLabelArgs(label=key, value=value) for key, value in labels.items()],
        opts=pulumi.ResourceOptions.merge(
            opts, pulumi.ResourceOptions(delete_before_replace=True, replace_on_changes=NOT_UPDATED)
        ),
    )


def _digest(files: Mapping[str, str]) -> str:
    return hashlib.sha256(json.dumps(files, sort_keys=True).encode()).hexdigest()


def _require_success(installer: docker.Container, name: str, status: int | None) -> pulumi.Resource:
    if status:
        log = engine.last_lines(engine.connect(), name, LOG_LINES)
        raise pulumi.RunError(
            f"{name} could not install the certificates and secrets: exit status {status}. {log}"
            f" Free what it lacks, then run `docker rm {name}` and `pulumi up --refresh`; `./dashtam up` does both."
        )
    return installer


def install_script(user: str, files: list[str]) -> str:
    """Return a script for `sh -eu` that installs the uploaded files for `uid:gid` and leaves no other copy.

    A reader that runs meanwhile finds each file whole, as it was or as it will be. The script needs only the utilities
    that Debian and Alpine share.
    """
    uid, gid = user.split(":")
    new = f"{MOUNT}/.new"
    installs = [
        f"install -o {uid} -g {gid} -m 0400 {_UPLOADS}/{file} {new}; mv -f {new} {MOUNT}/{file}" for file in files
    ]
    others = f"find {MOUNT} -type f {' '.join(f'! -name {file}' for file in files)} -exec rm -f {{}} +"
    return "; ".join([*installs, others, f"chown {uid}:{gid} {MOUNT}", f"chmod 0500 {MOUNT}", f"rm -rf {_UPLOADS}"])
