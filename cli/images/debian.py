"""The base images built on this machine from Debian packages."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING, Any

import requests
from docker.errors import DockerException

from cli.core.errors import UserError
from cli.images.failures import explained
from infra.catalogue import BASES, IMAGES, Base, ImageSource, source_digest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from docker import DockerClient

REPOSITORY = "dashtam-debian"
LABEL = "dashtam.base"
_VERSION = ["dpkg-query", "--show", "--showformat=${Version}"]


def root_reference() -> str:
    """Return the name of the image that holds the root file system alone."""
    return f"{REPOSITORY}/base:{source_digest(IMAGES / 'base')[:12]}"


def current_references() -> frozenset[str]:
    """Return the names of all images that this version of the project builds."""
    return frozenset({root_reference(), *(base.reference(ImageSource.DEBIAN) for base in BASES)})


def make(client: DockerClient, base: Base, tick: Callable[[str], object]) -> None:
    """Build one base image; `tick` gets the output."""
    what = f"Building the {base.name} image failed"
    try:
        arguments = {"BASE_IMAGE": root_reference()}
        build = client.api.build(path=str(IMAGES / base.name), buildargs=arguments, decode=True, rm=True, forcerm=True)
        draft = follow(build, what, tick)
        package = client.images.get(draft).labels["dashtam.package"]
        labels = {LABEL: base.name, "dashtam.version": _version(client, draft, package)}
        labels |= {"dashtam.component": "base", "dashtam.origin": "debian"}
        recipe = io.BytesIO(f"FROM {draft}\n".encode())
        # The version is known only once the package is in; and the name comes last, so that half an image never has it.
        tag = base.reference(ImageSource.DEBIAN)
        follow(client.api.build(fileobj=recipe, labels=labels, tag=tag, decode=True, rm=True, forcerm=True), what, tick)
    except (DockerException, requests.RequestException) as error:
        raise explained(what, [str(error)]) from error


def follow(events: Iterable[dict[str, Any]], what: str, tick: Callable[[str], object]) -> str:
    """Follow a build to its end and return the image's id."""
    lines: list[str] = []
    image = ""
    for event in events:
        text = str(event.get("error") or event.get("stream") or "")
        if text.strip():
            lines.append(re.sub(r"\x1b\[\d+m", "", text))
            tick(lines[-1])
        image = event.get("aux", {}).get("ID", image)
        if "error" in event:
            raise explained(what, lines)
    if not image:
        raise UserError(what, cause="the engine ended without an image", remedy="Run the same command again.")
    return image


def _version(client: DockerClient, image: str, package: str) -> str:
    """Ask an image for a package's version, in a container that the engine removes when it ends."""
    options: Mapping[str, Any] = client.api.create_host_config(auto_remove=True, network_mode="none")
    container = client.api.create_container(
        image, [package], entrypoint=_VERSION, host_config=options, labels={LABEL: "version"}
    )
    output = client.api.attach(container, stream=True, logs=True)
    client.api.start(container)
    return b"".join(output).decode().strip()
