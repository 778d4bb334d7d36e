"""The root file system that every Debian-built image starts from: made by debootstrap, imported by the engine."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

from docker import DockerClient

from cli.core.errors import UserError
from cli.core.paths import cache_home
from cli.core.process import CommandError, output, piped, run_lines
from cli.engine.connect import answering_within
from cli.images.failures import OTHER_SOURCE, explained
from cli.machine import packages
from infra.catalogue import IMAGES, SOURCE_VARIABLE

IMPORT_SECONDS = 600
"""How long the engine may take to store a root file system."""

_DEBOOTSTRAP_SECONDS = 3600
_PACKAGES = ("debootstrap", "debian-archive-keyring")
_NO_RELEASE = "Failed getting release file"
_INDEX_FORMAT = "$(REPO_URI) $(ORIGIN) $(LABEL) $(COMPONENT)"
_DEFAULT_MIRROR = ""
"""Debootstrap's own choice."""


def obstacle() -> UserError | None:
    """Return why this machine can't make a root file system; None where it can."""
    what = "The base images can't be built from Debian packages on this machine."
    if not shutil.which("unshare") or not (shutil.which("debootstrap") or shutil.which("apt-get")):
        return UserError(
            what,
            cause="It has no debootstrap, and no apt-get to install it with.",
            remedy=f"{OTHER_SOURCE} Otherwise install debootstrap, or build them on a Debian machine.",
        )
    if os.geteuid() != 0:
        return UserError(
            what,
            cause="Making a root file system needs root, once for each version.",
            # The choice is recorded in this user's data home, where root doesn't look.
            remedy=f"Run `sudo env {SOURCE_VARIABLE}=debian ./dashtam images build`, then the same command again."
            f" {OTHER_SOURCE}",
        )
    return None


def require_tools(*, install: bool) -> None:
    """Make sure that this machine can make a root file system, and that debootstrap is installed."""
    if found := obstacle():
        raise found
    if shutil.which("debootstrap"):
        return
    remedy = f"`{packages.command(_PACKAGES)}`. {OTHER_SOURCE}"
    if not install:
        raise UserError("debootstrap is missing.", cause="--no-install forbids installing it.", remedy=remedy)
    packages.install(_PACKAGES, "debootstrap", remedy=remedy)


def make(client: DockerClient, reference: str, tick: Callable[[str], object]) -> None:
    """Make the root file system and import it as an image of this name; after a failure nothing has the name."""
    work = cache_home() / "images"
    target = work / "rootfs.partial"
    work.mkdir(parents=True, exist_ok=True)
    try:
        _debootstrap(target, work / "packages", tick)
        tick("importing it into the engine")
        version = (target / "etc" / "debian_version").read_text().strip()
        labels = {"dashtam.component": "base", "dashtam.base": "base", "dashtam.origin": "debian"}
        _import(client, target, reference, {**labels, "dashtam.package": "debian", "dashtam.version": version})
    finally:
        shutil.rmtree(target, ignore_errors=True)
    # The downloads are there to continue after an interruption; a finished image doesn't need them any more.
    shutil.rmtree(work / "packages", ignore_errors=True)


def _debootstrap(target: Path, downloads: Path, tick: Callable[[str], object]) -> None:
    # In namespaces of its own: its mounts and all its processes end with it, even if this process is killed.
    isolated = ["setpriv", "--pdeathsig", "KILL", "unshare", "--mount", "--pid", "--fork", "--kill-child"]
    command = [*isolated, str(IMAGES / "base" / "rootfs"), str(target), str(downloads)]
    variables = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"}
    found = mirrors()
    for mirror in found:
        shutil.rmtree(target, ignore_errors=True)
        try:
            env = {**variables, "DASHTAM_MIRROR": mirror}
            run_lines(command, env=env, timeout=_DEBOOTSTRAP_SECONDS, on_line=tick)
        except CommandError as error:
            if _NO_RELEASE in error.tail and mirror != found[-1]:
                continue
            raise explained("Making the Debian root file system failed", error.tail.splitlines()) from error
        return


def mirrors() -> list[str]:
    """Return the mirrors to try: the one of the machine's package manager where it has one, then the default."""
    if not shutil.which("apt-get"):
        return [_DEFAULT_MIRROR]
    try:
        targets = output(["apt-get", "indextargets", "--format", _INDEX_FORMAT, "Created-By: Packages"])
    except CommandError:
        return [_DEFAULT_MIRROR]
    return [*configured(targets), _DEFAULT_MIRROR]


def configured(targets: str) -> list[str]:
    """Return at most one mirror, from lines with an index's address, origin, label and component.

    Only plain HTTP counts, which is signed all the same: a bare root file system has no certificates to check HTTPS.
    """
    rows = (line.split() for line in targets.splitlines())
    found = [
        row[0].rstrip("/") for row in rows if row[1:] == ["Debian", "Debian", "main"] and row[0].startswith("http://")
    ]
    return found[:1]


def _import(client: DockerClient, folder: Path, reference: str, labels: Mapping[str, str]) -> None:
    changes = [f"LABEL {name}={value}" for name, value in labels.items()]
    failed = "Importing the root file system into the engine failed"
    tar = ["tar", "--numeric-owner", "--sort=name", "-C", str(folder), "-c", "."]
    try:
        with piped(tar) as stream, answering_within(client, IMPORT_SECONDS):
            answer = client.api.import_image_from_stream(stream, changes=changes)
    except CommandError as error:
        raise explained(failed, [str(error)]) from error
    last = json.loads(answer.splitlines()[-1])
    if "status" not in last:
        raise explained(failed, [str(last.get("error", answer))])
    # The name comes last, so that half an image never has it.
    repository, _, tag = reference.rpartition(":")
    client.api.tag(last["status"], repository, tag)
