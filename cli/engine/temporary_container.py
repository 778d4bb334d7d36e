"""A container that lives no longer than the command that made it; one that a killed command left is replaced."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from http import HTTPStatus
from typing import Any

import docker
from docker.errors import APIError, ImageNotFound, NotFound
from docker.models.containers import Container

from cli.core.errors import UserError
from cli.engine import streams
from cli.engine.inventory import EngineView
from infra.naming import OWNER_LABEL, Naming


@contextmanager
def running(
    client: docker.DockerClient,
    naming: Naming,
    component: str,
    image: str,
    command: Sequence[str] = (),
    **settings: Any,  # noqa: ANN401 - the SDK's
) -> Iterator[tuple[Container, Any]]:
    """Run a container without privileges; it comes with the socket to its standard input.

    The settings are those of the SDK's `containers.create`.
    """
    name = naming.container(component)
    remove(client, naming, name)
    container = _create(
        client,
        naming,
        image,
        command,
        name=name,
        labels=naming.labels(component),
        read_only=True,
        cap_drop=["ALL"],
        security_opt=["no-new-privileges:true"],
        memswap_limit=settings["mem_limit"],
        init=True,
        stdin_open=True,
        **settings,
    )
    try:
        with streams.cut_off(container.attach_socket(params={"stdin": 1, "stream": 1})) as stdin:
            container.start()
            yield container, stdin
    finally:
        remove(client, naming, container.id or "")


def remove(client: docker.DockerClient, naming: Naming, container: str) -> None:
    """Remove a container, by id or name, and wait until it is gone; another clone's is left alone."""
    with suppress(NotFound):
        found = client.containers.get(container)
        if found.labels.get(OWNER_LABEL) != naming.owner:
            return
        # It may be being removed already, since its process has ended.
        with suppress(APIError):
            EngineView(client).remove_container(found.id or "")


def _create(
    client: docker.DockerClient,
    naming: Naming,
    image: str,
    command: Sequence[str],
    **settings: Any,  # noqa: ANN401 - the SDK's
) -> Container:
    name = settings["name"]
    try:
        return client.containers.create(image, list(command), **settings)
    except ImageNotFound:
        raise UserError(
            f"The image {image} for the container {name} is not here.",
            remedy=f"Run `./dashtam up {naming.environment}`: it gets the image.",
        ) from None
    except APIError as error:
        is_taken = error.status_code == HTTPStatus.CONFLICT
        raise UserError(
            f"The container {name} can't be made.",
            cause=str(error.explanation),
            remedy=f"Give the container that has this name another one: `docker rename {name} NAME`."
            if is_taken
            else "`./dashtam doctor` checks the engine. Then run the same command again.",
        ) from None
