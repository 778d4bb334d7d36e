"""Where services are reached, as components give it to each other and to the outputs. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING
from urllib.parse import quote

from infra.config.sections import NetworkSettings

if TYPE_CHECKING:
    import pulumi


HTTPS_PORT = 443


@dataclass(frozen=True)
class Endpoint:
    """A port of a service: under its name in the network and, where it is published, where `reach` says."""

    host: str
    port: int
    published: int | None = None
    names: tuple[str, ...] = ()
    """Every host name by which it is reached, for its certificate."""
    reach: NetworkSettings = field(default_factory=NetworkSettings)
    """Where published ports are bound, and by which name clients reach them."""

    @property
    def in_network(self) -> str:
        """The origin for clients in its network."""
        return f"https://{self.host}:{self.port}"

    @property
    def on_host(self) -> str | None:
        """The origin for clients on the host, as browsers write it: without HTTPS' own port; None if unpublished."""
        origin = f"https://{address(self.reach.hostname, self.published)}" if self.published else None
        return origin.removesuffix(f":{HTTPS_PORT}") if origin else None

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
        place = f"{address(self.endpoint.host, self.endpoint.port)}/{self.database}{self.query}"
        return self.password.apply(lambda password: f"{self.scheme}://{self.user}:{quote(password, safe='')}@{place}")

    @property
    def url(self) -> pulumi.Output[str] | None:
        """The URL for clients on the host, secret; None where the port isn't published."""
        return self.on_host.internal_url if self.on_host else None

    @property
    def on_host(self) -> Login | None:
        """The login for a service on the host; None where the port isn't published."""
        own = self.endpoint
        if not own.published:
            return None
        return replace(self, endpoint=replace(own, host=own.reach.client_host, port=own.published))


def address(host: str, port: int) -> str:
    """Return host and port as a URL has them."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
