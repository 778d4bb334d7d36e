"""The engine that a container is on: the one in use, or that of another node of the Swarm."""

from __future__ import annotations

import os

from docker import DockerClient
from docker.errors import DockerException
from requests import RequestException

from cli.core.errors import UserError
from infra.engine import client_of

KEY = "dashtam:target.nodes"


class Node:
    """The engine of one node, of which only the one in use is always known: `client` is given for that one."""

    def __init__(self, name: str = "", address: str = "", client: DockerClient | None = None) -> None:
        self.name, self.address, self._own, self._client = name, address, client is not None, client

    @property
    def client(self) -> DockerClient:
        """A client of it; a UserError where none answers."""
        if self._client is None:
            if not self.address:
                raise UserError(
                    f"The Docker engine of the node {self.name} can't be reached.",
                    cause=f"{KEY} has no address for {self.name}.",
                    remedy=f"Add it to {KEY} in the environment's config, as DOCKER_HOST has it:"
                    f" `{self.name}: tcp://{self.name}:2376`.",
                )
            self._client = self._connected()
        return self._client

    def _connected(self) -> DockerClient:
        try:
            found = client_of(self.environ())
            found.ping()
        except (DockerException, RequestException, OSError) as error:
            raise UserError(
                f"The Docker engine of the node {self.name} can't be reached at {self.address}.",
                cause=str(error),
                remedy=f"Correct its address in {KEY}, or look whether the node is up: `docker node ls`.",
            ) from None
        return found

    def environ(self) -> dict[str, str]:
        """Return the variables that point Docker's clients at it; none for the one in use."""
        if self._own:
            return {}
        tls = {name: os.environ[name] for name in ("DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH") if name in os.environ}
        return {"DOCKER_HOST": self.address, **({} if self.address.startswith("unix:") else tls)}
