"""Makes the base images that this machine lacks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from docker import DockerClient

from cli.core.paths import cache_home
from cli.images import debian, registry, rootfs
from cli.images.local import is_local, local_references
from cli.ui.file_lock import exclusively
from cli.ui.progress import meter
from infra.catalogue import ALL, BASES, Base, ImageSource

Work = tuple[str, Callable[[Callable[[str], object]], None]]
"""A step: what it does, and the function that does it and reports output to its argument."""


def ensure(client: DockerClient, source: ImageSource, *, install: bool = True, bases: Sequence[Base] = BASES) -> None:
    """Make this machine's missing base images.

    It can be ended at any point and run again: an image gets its name only when it's complete. Of two runs at the same
    time the second waits for the first.
    """
    if not missing(client, source, bases):
        return
    with exclusively(cache_home() / "images" / "lock", "Another command is making the base images; waiting for it."):
        absent = missing(client, source, bases)
        if source is ImageSource.DEBIAN and debian.root_reference() in absent:
            rootfs.require_tools(install=install)
        for number, reference in enumerate(absent, start=1):
            what, make = _work(client, source, reference)
            with meter(f"Images {number}/{len(absent)}: {what}") as shown:
                make(shown.tick)


def missing(client: DockerClient, source: ImageSource, bases: Sequence[Base] = BASES) -> list[str]:
    """List the images that aren't there, in the order in which to make them."""
    local = local_references(client)
    absent = [reference for base in bases if not is_local(reference := base.reference(source), local)]
    if absent and source is ImageSource.DEBIAN and debian.root_reference() not in local:
        absent.insert(0, debian.root_reference())
    return absent


def _work(client: DockerClient, source: ImageSource, reference: str) -> Work:
    if source is ImageSource.REGISTRY:
        return f"pulling {reference}", partial(registry.pull, client, reference)
    if reference == debian.root_reference():
        return "making a Debian root file system", partial(rootfs.make, client, reference)
    base = next(base for base in ALL if base.reference(source) == reference)
    return f"building {base.name} from Debian packages", partial(debian.make, client, base)
