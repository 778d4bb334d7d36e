"""What the picture shows, read from the engine's containers."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from cli.engine.container import ContainerView, view
from infra.endpoints import HTTPS_PORT
from infra.loopback import LOCALHOST, LOOPBACK
from infra.naming import SERVICES

PROVIDERS = "PROVIDERS_FILE"
"""Names the app's file of providers, which is secret, and names the sandbox wherever there is one."""

HOSTS = frozenset({LOCALHOST, LOOPBACK})
"""Names of this machine, at which ports are published."""


@dataclass(frozen=True)
class Service:
    """A service."""

    name: str
    container: ContainerView
    image: str
    ports: tuple[str, ...]
    reads: tuple[str, ...]
    keeps: tuple[str, ...]

    @property
    def state(self) -> str:
        """Its health where it is checked, else its state."""
        return self.container.health or self.container.state


@dataclass(frozen=True)
class Use:
    """A service that has another's address in the variable `by`: it connects there, or sends a browser there."""

    source: str
    target: str
    by: str
    browser: bool


@dataclass(frozen=True)
class Graph:
    """An environment."""

    environment: str
    network: str
    internal: bool
    services: Sequence[Service]
    uses: Sequence[Use]

    @property
    def ranks(self) -> dict[str, int]:
        """How far each service is from those that nobody connects to: the longest way, in connections."""
        found = dict.fromkeys((one.name for one in self.services), 0)
        for _ in self.services:
            for use in self.uses:
                if not use.browser and found[use.target] <= found[use.source] < len(found):
                    found[use.target] = found[use.source] + 1
        return found


def build(
    environment: str,
    documents: Sequence[Mapping[str, Any]],
    network: Mapping[str, Any],
    images: Mapping[str, str | None],
    hostname: str = LOCALHOST,
) -> Graph:
    """Read an environment from what the engine has.

    Args:
        images: References by service; the engine knows ids only.
        hostname: The name by which clients reach published ports.
    """
    known = {found.component: (found, dict(one)) for one in documents if (found := view(dict(one))).is_service}
    ordered = [(name, *known[name]) for name in SERVICES if name in known]
    services = [_service(found, document, images.get(name)) for name, found, document in ordered]
    published = {port: one.name for one in services for bound in one.container.ports.values() for port in bound}
    names = {one.name for one in services}
    told = [(name, document["Config"]["Env"] or []) for name, _, document in ordered]
    hosts = {*HOSTS, hostname}
    uses = [use for name, variables in told for use in connections(name, variables, names, published, hosts)]
    uses += [use for name, variables in told for use in _providers(name, variables, names)]
    return Graph(environment, str(network["Name"]), bool(network["Internal"]), services, _once(uses))


def _service(found: ContainerView, document: Mapping[str, Any], image: str | None) -> Service:
    mounts = document["HostConfig"].get("Mounts") or []
    return Service(
        name=found.component,
        container=found,
        image=image or found.image,
        ports=tuple(_published(document)),
        reads=tuple(one["Source"] for one in mounts if one.get("ReadOnly")),
        keeps=tuple(one["Source"] for one in mounts if not one.get("ReadOnly")),
    )


def _published(document: Mapping[str, Any]) -> Iterator[str]:
    for inner, outer in (document["HostConfig"].get("PortBindings") or {}).items():
        for one in outer or []:
            yield f"{one['HostIp']}:{one['HostPort']} → {inner.removesuffix('/tcp')}"


def connections(
    name: str,
    variables: Iterable[str],
    services: Collection[str],
    published: Mapping[int, str],
    hosts: Collection[str] = HOSTS,
) -> Iterator[Use]:
    """Read from a service's environment variables which others it knows; ports are published at the hosts."""
    for variable, value in sorted(one.partition("=")[::2] for one in variables):
        host, port = _address(value)
        if host in services and host != name:
            yield Use(name, host, variable, browser=False)
        elif host in hosts and published.get(port, name) != name:
            yield Use(name, published[port], variable, browser=True)


def _providers(name: str, variables: Iterable[str], services: Collection[str]) -> Iterator[Use]:
    if "sandbox" in services and any(one.startswith(f"{PROVIDERS}=") for one in variables):
        yield Use(name, "sandbox", PROVIDERS, browser=False)


def _address(value: str) -> tuple[str, int]:
    """Return the host and the port that a value names; of a bare word, the word."""
    if "://" not in value:
        return value, 0
    with suppress(ValueError):
        parts = urlsplit(value)
        return parts.hostname or "", parts.port or (HTTPS_PORT if parts.scheme == "https" else 0)
    return "", 0


def _once(uses: Sequence[Use]) -> list[Use]:
    """Drop duplicates, and a browser's way between two that are connected anyway."""
    connected = {frozenset((use.source, use.target)) for use in uses if not use.browser}
    kept: dict[tuple[str, str], Use] = {}
    for use in uses:
        if not (use.browser and frozenset((use.source, use.target)) in connected):
            kept.setdefault((use.source, use.target), use)
    return list(kept.values())
