"""The base images built on this machine from Debian packages."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Mapping
from typing import Any

from docker import DockerClient

from cli.core.errors import UserError
from cli.images.failures import engine_failures, explained
from infra import proxies
from infra.catalogue import ALL, IMAGES, Base, ImageSource, source_digest

REPOSITORY = "dashtam-debian"
LABEL = "dashtam.base"
_VERSION = ["dpkg-query", "--show", "--showformat=${Version}"]


def root_reference() -> str:
    """Return the name of the image that holds the root file system alone."""
    return f"{REPOSITORY}/base:{source_digest(IMAGES / 'base')[:12]}"


def current_references() -> frozenset[str]:
    """Return the names of all images that this version of the project builds."""
    return frozenset({root_reference(), *(base.reference(ImageSource.DEBIAN) for base in ALL)})


def make(client: DockerClient, base: Base, tick: Callable[[str], object]) -> None:
    """Build one base image; `tick` gets the output."""
    failed = f"Building the {base.name} image failed"
    arguments = {"BASE_IMAGE": root_reference()}
    draft = build(client, failed, tick, path=str(IMAGES / base.name), buildargs=arguments)
    labels = {LABEL: base.name, "dashtam.version": _version(client, draft, failed)}
    labels |= {"dashtam.component": "base", "dashtam.origin": "debian"}
    recipe = io.BytesIO(f"FROM {draft}\n".encode())
    # The version is known only once the package is in; and the name comes last, so that half an image never has it.
    build(client, failed, tick, fileobj=recipe, labels=labels, tag=base.reference(ImageSource.DEBIAN))


def build(client: DockerClient, failed: str, tick: Callable[[str], object], **options: Any) -> str:  # noqa: ANN401
    """Have the engine build an image, with options of the SDK, and return its id; `tick` gets the output."""
    lines: list[str] = []
    image = ""
    with engine_failures(failed):
        arguments = {**proxies.for_containers(), **options.pop("buildargs", {})}
        for event in client.api.build(decode=True, rm=True, forcerm=True, buildargs=arguments, **options):
            text = str(event.get("error") or event.get("stream") or "")
            if text.strip():
                lines.append(re.sub(r"\x1b\[\d+m", "", text))
                tick(lines[-1])
            image = event.get("aux", {}).get("ID", image)
            if "error" in event:
                raise explained(failed, lines)
    if not image:
        raise UserError(failed, cause="the engine ended without an image", remedy="Run the same command again.")
    return image


def _version(client: DockerClient, image: str, failed: str) -> str:
    """Ask an image for its package's version, in a container that the engine removes when it ends."""
    with engine_failures(failed):
        package = client.images.get(image).labels["dashtam.package"]
        options: Mapping[str, Any] = client.api.create_host_config(auto_remove=True, network_mode="none")
        container = client.api.create_container(
            image, [package], entrypoint=_VERSION, host_config=options, labels={LABEL: "version"}
        )
        output = client.api.attach(container, stream=True, logs=True)
        client.api.start(container)
        return b"".join(output).decode().strip()
