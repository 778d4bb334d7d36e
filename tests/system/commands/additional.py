"""An additional environment in the tests' checkout, with ports of its own."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import yaml

from tests.system import environments
from tests.system.checkout import PUBLISHED, free_ports
from tests.system.running import succeed

if TYPE_CHECKING:
    from collections.abc import Iterator

    import docker

    from tests.system.checkout import Checkout


@contextmanager
def beside(checkout: Checkout, client: docker.DockerClient, suffix: str) -> Iterator[Checkout]:
    """Configure an environment beside a checkout's own, and remove all of it at the end whatever happened.

    Args:
        checkout: The checkout.
        client: The engine.
        suffix: What its name has after the other one's.

    Yields:
        The checkout with that environment; it isn't up.
    """
    document = yaml.safe_load(checkout.pristine)
    for section, port in zip(PUBLISHED, free_ports(len(PUBLISHED)), strict=True):
        document["config"][f"dashtam:{section}"]["port"] = port
    callback = document["config"]["dashtam:callback"]["port"]
    document["config"]["dashtam:app"]["oauth_redirect_uri"] = f"https://127.0.0.1:{callback}"
    made = replace(checkout, stack=f"{checkout.stack}-{suffix}", pristine=yaml.safe_dump(document, sort_keys=False))
    made.configure()
    try:
        yield made
    finally:
        made.configure()
        done = made.dashtam("destroy", made.stack, "--yes", "--no-snapshot")
        environments.remove_all(client, made.stack)
        made.config_file.unlink()
    succeed(done)
