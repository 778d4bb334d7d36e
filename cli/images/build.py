"""Makes sure that this machine has its base images."""

from __future__ import annotations

from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from cli.core.paths import cache_home
from cli.images import debian, registry, rootfs
from cli.images.local import is_local, local_references
from cli.ui.console import err
from cli.ui.work import Announce, Steps, Tick
from infra.catalogue import BASES, ImageSource

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from docker import DockerClient

Work = tuple[str, "Callable[[Tick], None]"]
"""A step: what it does, and the function that does it."""


def to_console(line: str) -> None:
    """Show a line of progress."""
    err.print(line, markup=False, highlight=False)


def ensure(client: DockerClient, source: ImageSource, *, announce: Announce = to_console, install: bool = True) -> None:
    """Make what is missing of this machine's base images, and nothing else.

    It can be ended at any point and run again: an image gets its name only when it's complete. Of two runs at the same
    time the second waits for the first.
    """
    if not missing(client, source):
        return
    with _alone(announce):
        absent = missing(client, source)
        if source is ImageSource.DEBIAN and debian.root_reference() in absent:
            _prepare(announce, install=install)
        steps = Steps(len(absent), announce)
        for what, make in (_work(client, source, reference) for reference in absent):
            with steps.step(what) as tick:
                make(tick)


def missing(client: DockerClient, source: ImageSource) -> list[str]:
    """List the images that aren't there, in the order in which to make them."""
    local = local_references(client)
    absent = [reference for base in BASES if not is_local(reference := base.reference(source), local)]
    if absent and source is ImageSource.DEBIAN and debian.root_reference() not in local:
        absent.insert(0, debian.root_reference())
    return absent


def _prepare(announce: Announce, *, install: bool) -> None:
    if obstacle := rootfs.obstacle():
        raise obstacle
    rootfs.install_tools(announce, install=install)


def _work(client: DockerClient, source: ImageSource, reference: str) -> Work:
    if source is ImageSource.REGISTRY:
        return f"pulling {reference}", partial(registry.make, client, reference)
    if reference == debian.root_reference():
        return "making a Debian root file system", partial(rootfs.make, client, reference)
    base = next(base for base in BASES if base.reference(source) == reference)
    return f"building {base.name} from Debian packages", partial(debian.make, client, base)


@contextmanager
def _alone(announce: Announce) -> Iterator[None]:
    path = cache_home() / "images" / "lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        announce("Another run is making the base images; waiting for it")
        lock.acquire()
    try:
        yield
    finally:
        lock.release()
