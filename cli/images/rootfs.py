"""The root file system that every Debian-built image starts from: made by debootstrap, handed to the engine."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections import deque
from typing import TYPE_CHECKING

from cli.core.errors import UserError
from cli.core.paths import cache_home
from cli.images.failures import OTHER_SOURCE, explained
from cli.images.local import patience
from cli.images.mirror import mirrors
from infra.catalogue import IMAGES

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from docker import DockerClient

    from cli.ui.work import Announce, Tick

ENGINE_PATIENCE = 600
"""Seconds that the engine may take to store a root file system."""

_PACKAGES = ("debootstrap", "debian-archive-keyring")
_NO_RELEASE = "Failed getting release file"


def obstacle() -> UserError | None:
    """Return why this machine can't make a root file system."""
    what = "The base images can't be built from Debian packages on this machine"
    if not shutil.which("unshare") or not (shutil.which("debootstrap") or shutil.which("apt-get")):
        return UserError(
            what,
            cause="it has no debootstrap, and no apt-get to install it with",
            remedy=f"{OTHER_SOURCE} Otherwise install debootstrap, or build them on a Debian machine.",
        )
    if os.geteuid() != 0:
        return UserError(
            what,
            cause="making a root file system needs root, once a version",
            remedy=f"`sudo ./dashtam images build`, then go on as before. {OTHER_SOURCE}",
        )
    return None


def install_tools(announce: Announce, *, install: bool) -> None:
    """Install debootstrap with the machine's own package manager, where it is missing."""
    if shutil.which("debootstrap"):
        return
    command = [
        "apt-get",
        "--option",
        "DPkg::Lock::Timeout=120",
        "install",
        "--yes",
        "--no-install-recommends",
        *_PACKAGES,
    ]
    if not install:
        remedy = f"Install it yourself: `{' '.join(command)}`. {OTHER_SOURCE}"
        raise UserError("debootstrap is missing", cause="installing was refused", remedy=remedy)
    announce(f"Installing {' and '.join(_PACKAGES)} (`{' '.join(command)}`)")
    status, lines = run(command)
    if status:
        run(["apt-get", "update"])
        status, lines = run(command)
    if status:
        raise explained("debootstrap couldn't be installed", lines)


def run(
    command: list[str], tick: Tick | None = None, environ: Mapping[str, str] | None = None
) -> tuple[int, list[str]]:
    """Run a tool to its end, and end it if this process is interrupted."""
    variables = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8", **(environ or {})}
    lines: deque[str] = deque(maxlen=40)
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=variables
    ) as process:
        try:
            for line in process.stdout or ():
                lines.append(line.rstrip())
                if tick:
                    tick(line)
        except BaseException:
            process.kill()
            raise
    return process.returncode, list(lines)


def _debootstrap(target: Path, downloads: Path, tick: Tick) -> None:
    # In namespaces of its own: its mounts and all its processes end with it, even if this process is killed.
    isolated = ["setpriv", "--pdeathsig", "KILL", "unshare", "--mount", "--pid", "--fork", "--kill-child"]
    command = [*isolated, str(IMAGES / "base" / "rootfs"), str(target), str(downloads)]
    for mirror in mirrors():
        shutil.rmtree(target, ignore_errors=True)
        status, lines = run(command, tick, {"DASHTAM_MIRROR": mirror})
        if not status:
            return
        if not any(_NO_RELEASE in line for line in lines):
            break
    raise explained("Making the Debian root file system failed", lines)


def _import(client: DockerClient, folder: Path, reference: str, labels: Mapping[str, str]) -> None:
    changes = [f"LABEL {name}={value}" for name, value in labels.items()]
    with (
        subprocess.Popen(
            ["tar", "--numeric-owner", "--sort=name", "-C", str(folder), "-c", "."],  # noqa: S607 - the system's own
            stdout=subprocess.PIPE,
        ) as tar,
        patience(client, ENGINE_PATIENCE),
    ):
        answer = client.api.import_image_from_stream(tar.stdout, changes=changes)
    last = json.loads(answer.splitlines()[-1])
    if tar.returncode or "status" not in last:
        raise explained(
            "Handing the root file system to the engine failed", [str(last.get("error", "tar ended early"))]
        )
    # Its name comes last, so that half an image never has it.
    repository, _, tag = reference.rpartition(":")
    client.api.tag(last["status"], repository, tag)


def make(client: DockerClient, reference: str, tick: Tick) -> None:
    """Make the root file system and hand it to the engine as an image."""
    work = cache_home() / "images"
    target = work / "rootfs.partial"
    work.mkdir(parents=True, exist_ok=True)
    try:
        _debootstrap(target, work / "packages", tick)
        tick("handing it to the engine")
        version = (target / "etc" / "debian_version").read_text().strip()
        labels = {"dashtam.component": "base", "dashtam.base": "base", "dashtam.origin": "debian"}
        _import(client, target, reference, {**labels, "dashtam.package": "debian", "dashtam.version": version})
    finally:
        shutil.rmtree(target, ignore_errors=True)
    # They served to go on after an interruption; a finished image needs them no more.
    shutil.rmtree(work / "packages", ignore_errors=True)
