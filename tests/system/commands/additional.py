"""An additional environment in the tests' checkout, with ports of its own."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import yaml

from tests.system import environments
from tests.system.checkout import with_free_ports

if TYPE_CHECKING:
    from collections.abc import Iterator

    import docker

    from tests.system.checkout import Checkout


@contextmanager
def beside(checkout: Checkout, client: docker.DockerClient, suffix: str, *services: str) -> Iterator[Checkout]:
    """Configure an environment beside a checkout's own, and remove all of it at the end whatever happened.

    Args:
        checkout: The checkout.
        client: The engine.
        suffix: What its name has after the other one's.
        services: Which of its services run; all if none is named.

    Yields:
        The checkout with that environment; it isn't up.
    """
    pristine = with_free_ports(yaml.safe_load(checkout.pristine))
    made = replace(checkout, stack=f"{checkout.stack}-{suffix}", pristine=pristine, services=services)
    _exclude(made)
    made.configure()
    try:
        yield made
    finally:
        environments.remove_all(client, made.stack)
        made.state().unlink(missing_ok=True)
        made.config_file.unlink()


def _exclude(made: Checkout) -> None:
    """Have git show no config of a test as untracked, to which other tests of the same checkout give attention."""
    with (made.root / ".git/info/exclude").open("a") as file:
        file.write(f"/{made.config_file.name}\n")
