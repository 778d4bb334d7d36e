"""Where services are reached, as components give it to each other and to the outputs. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    import pulumi

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class Endpoint:
    """A port of a service: under its name in the network and, where it is published, on 127.0.0.1."""

    host: str
    port: int
    published: int | None = None
    names: tuple[str, ...] = ()
    """Every host name by which it is reached, for its certificate."""

    @property
    def in_network(self) -> str:
        """The origin for clients in its network."""
        return f"https://{self.host}:{self.port}"

    @property
    def on_host(self) -> str | None:
        """The origin for clients on the host; None where it isn't published."""
        return on_host(self.published) if self.published else None

    @property
    def for_browsers(self) -> str:
        """The origin for the user's browser; in the network if unpublished, for a browser in there."""
        return self.on_host or self.in_network


@dataclass(frozen=True)
class Login:
    """How a client logs in to a database or a cache, always over TLS."""

    scheme: str
    endpoint: Endpoint
    user: str
    password: pulumi.Output[str] = field(repr=False)
    """Secret."""
    database: str
    query: str = ""

    @property
    def internal_url(self) -> pulumi.Output[str]:
        """The URL for clients in its network, secret; they are given the CA to verify with apart from it."""
        return self._url(self.endpoint.host, self.endpoint.port)

    @property
    def url(self) -> pulumi.Output[str] | None:
        """The URL for clients on the host, secret; None where the port isn't published."""
        return self._url(LOOPBACK, self.endpoint.published) if self.endpoint.published else None

    def _url(self, host: str, port: int) -> pulumi.Output[str]:
        address = f"{host}:{port}/{self.database}{self.query}"
        return self.password.apply(lambda password: f"{self.scheme}://{self.user}:{quote(password, safe='')}@{address}")


def on_host(port: int) -> str:
    """Return the origin of a web server that is published on 127.0.0.1."""
    return f"https://localhost:{port}"
