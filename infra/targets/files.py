"""Secrets and settings as files that one service can read, and nobody else.

A container whose root file system is read-only takes no uploads, and an upload is always root's and readable by all.
So a short-lived container without network takes the files of all services and installs them, owned by their reader and
with mode 0400, into a volume for each service, which that mounts read-only.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import tarfile
from collections.abc import Mapping, Sequence

import pulumi
import pulumi_docker as docker
from pulumi.output import Unknown

from infra import engine
from infra.catalogue import POSTGRES
from infra.naming import FILES, FILES_LABEL, FILES_MOUNT, Naming
from infra.targets.target import Target, pairs
from infra.targets.workload import MOUNT, Workload

LOG_LINES = 5
"""How much of an installer's log an error shows."""

NOT_UPDATED = ["healthcheck", "init", "mounts", "tmpfs"]
"""What the plugin silently leaves as it was in an update of a container; it updates or replaces the rest itself."""

ARCHIVE = "files.tar"

_UPLOADS = "/install"
_MEMORY_MB = 64

UNPACK = f"tar -xf {_UPLOADS}/{ARCHIVE} -C {_UPLOADS}"
CLEAR = f"rm -rf {_UPLOADS}"
"""What comes before and after the scripts of all services; the uploads are the only other copy."""


class ServiceFiles(pulumi.ComponentResource):
    """The files of one service, and the volume for them."""

    mount: docker.ContainerMountArgs
    digest: pulumi.Output[str]
    """Changes with the files' content. It is no secret: a TLS key is part of what it is made of."""

    def __init__(self, workload: Workload, target: Target, opts: pulumi.ResourceOptions) -> None:
        """Declare the volume; a TLS key is among the files."""
        service, naming = workload.name, target.naming
        super().__init__("dashtam:index:InstalledFiles", f"{service}-files", None, opts)
        self.service, self.user, self.content = service, workload.base.user, workload.files
        child = pulumi.ResourceOptions(parent=self)
        self.volume = target.volume(naming.files_volume(service), naming.labels(service), child)
        self.digest = pulumi.Output.unsecret(pulumi.Output.all(**self.content).apply(_digest))
        self.mount = docker.ContainerMountArgs(type="volume", source=self.volume.name, target=MOUNT, read_only=True)
        self.register_outputs({"volume": self.volume.name})


def install(
    services: Sequence[ServiceFiles], naming: Naming, image: pulumi.Input[str], opts: pulumi.ResourceOptions
) -> docker.Container:
    """Declare the container, of an image with a shell, that installs files; its labels say what it installed."""
    name = naming.container(FILES)
    content = {f"{one.service}/{file}": text for one in services for file, text in one.content.items()}
    scripts = [install_script(one.service, one.user, list(one.content)) for one in services]
    digests = {f"{FILES_LABEL}.{one.service}": one.digest for one in services}
    return docker.Container(
        name,
        name=name,
        image=image,
        entrypoints=["sh", "-euc"],
        command=["; ".join([UNPACK, *scripts, CLEAR])],
        # Each upload costs the engine a process.
        uploads=[
            docker.ContainerUploadArgs(
                file=f"{_UPLOADS}/{ARCHIVE}", content_base64=pulumi.Output.all(**content).apply(archive)
            )
        ],
        mounts=[
            docker.ContainerMountArgs(type="volume", source=one.volume.name, target=f"{FILES_MOUNT}/{one.service}")
            for one in services
        ],
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
        labels=pairs(docker.ContainerLabelArgs, {**naming.labels(FILES), **digests}),
        opts=pulumi.ResourceOptions.merge(
            opts, pulumi.ResourceOptions(delete_before_replace=True, replace_on_changes=NOT_UPDATED)
        ),
    )


def succeeded(installer: docker.Container, naming: Naming) -> pulumi.Output[pulumi.Resource]:
    """Return the installer once it has installed the files; fail where it can't, or where an update leaves it out."""
    return installer.exit_code.apply(
        lambda status: _require_success(installer, naming.container(FILES), status), run_with_unknowns=True
    )


def installed_digest(installer: docker.Container, service: str) -> pulumi.Output[str]:
    """Return the digest of the files that are installed for a service: of earlier ones where they are left out."""
    return installer.labels.apply(
        lambda labels: next((one.value for one in labels or () if one.label == f"{FILES_LABEL}.{service}"), "")
    )


def _digest(files: Mapping[str, str]) -> str:
    return hashlib.sha256(json.dumps(files, sort_keys=True).encode()).hexdigest()


def archive(files: Mapping[str, str]) -> str:
    """Return files as a tar archive in base64; the same ones make the same archive."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name, text in sorted(files.items()):
            content = text.encode()
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), 0o400
            tar.addfile(entry, io.BytesIO(content))
    return base64.b64encode(buffer.getvalue()).decode()


def _require_success(installer: docker.Container, name: str, status: int | Unknown | None) -> pulumi.Resource:
    if isinstance(status, Unknown):
        if not pulumi.runtime.is_dry_run():
            raise pulumi.RunError(
                f"{name}, which installs the certificates and secrets, is not there, and this update leaves it out."
                " Include it: without --exclude, or with --target-dependents."
            )
    elif status:
        log = engine.last_lines(name, LOG_LINES)
        raise pulumi.RunError(
            f"{name} could not install the certificates and secrets: exit status {status}. {log}"
            f" Free what it lacks, then run `docker rm {name}` and `pulumi up --refresh`; `./dashtam up` does both."
        )
    return installer


def install_script(service: str, user: str, files: list[str]) -> str:
    """Return a script for `sh -eu` that installs a service's unpacked files for `uid:gid`, and removes others.

    A reader that runs meanwhile finds each file whole, as it was or as it will be. The script needs only the utilities
    that Debian and Alpine share.
    """
    uid, gid = user.split(":")
    target = f"{FILES_MOUNT}/{service}"
    new = f"{target}/.new"
    installs = [
        f"install -o {uid} -g {gid} -m 0400 {_UPLOADS}/{service}/{file} {new}; mv -f {new} {target}/{file}"
        for file in files
    ]
    others = f"find {target} -type f {' '.join(f'! -name {file}' for file in files)} -exec rm -f {{}} +"
    return "; ".join([*installs, others, f"chown {uid}:{gid} {target}", f"chmod 0500 {target}"])
