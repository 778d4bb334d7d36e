"""The origins of the services' web servers, as each kind of client sees them. Pure."""

from __future__ import annotations


def on_host(port: int | None) -> str | None:
    """Return a service's origin for clients on the host.

    Args:
        port: Where it is published on 127.0.0.1.

    Returns:
        The origin, or None where it isn't published.
    """
    return f"https://localhost:{port}" if port else None


def in_network(service: str, port: int) -> str:
    """Return a service's origin for clients in its network.

    Args:
        service: Its name.
        port: Where it listens.

    Returns:
        The origin.
    """
    return f"https://{service}:{port}"


def for_browsers(service: str, port: int, published: int | None) -> str:
    """Return a service's origin for the browser of whoever uses the environment.

    Args:
        service: Its name.
        port: Where it listens.
        published: Where it is published on 127.0.0.1.

    Returns:
        That on the host; in its network where it isn't published, for then only a browser in there reaches it.
    """
    return on_host(published) or in_network(service, port)
