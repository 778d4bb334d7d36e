"""The edge of an environment on a Swarm: HAProxy on every node, which passes TLS through to the replicas. Pure.

It finds replicas by DNS and gives connections to those that are ready; so an update or a node that is drained costs no
request, without the routing mesh, which needs IP_VS in every node's kernel. The app's rate limit gets the client's
address by the PROXY protocol.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

from infra.endpoints import Endpoint
from infra.services.health import repeated

CONFIG = "haproxy.cfg"

CONNECTIONS = 4096
"""At the same time, for each edge; each takes some 35 KB."""

CHECK_SECONDS = 2
"""Between two checks of a replica; half a second while its state changes."""

CONNECT_SECONDS = 2
IDLE_SECONDS = 75
"""Longer than any answer takes: the callback server waits 30 s for the app."""

SPARE = 2
"""Places for replicas that start before others end, beside one for each that the config asks for."""

_DEFAULTS = f"""\
global
    log stdout format raw local0 info
    maxconn {CONNECTIONS}
    hard-stop-after {{stop}}s

defaults
    mode tcp
    log global
    option tcplog
    option dontlognull
    option redispatch 1
    retries 3
    balance leastconn
    timeout connect {CONNECT_SECONDS}s
    timeout check {CONNECT_SECONDS}s
    timeout queue {CONNECT_SECONDS}s
    timeout client {IDLE_SECONDS}s
    timeout server {IDLE_SECONDS}s

resolvers docker
    nameserver engine 127.0.0.11:53
    accepted_payload_size 8192
    resolve_retries 3
    timeout resolve 1s
    timeout retry 1s
    hold valid 1s
    hold obsolete 0s
    hold nx 10s
    hold other 10s
    hold refused 10s
    hold timeout 10s
"""


@dataclass(frozen=True)
class Route:
    """A service behind the edge."""

    endpoint: Endpoint
    """The edge listens on its port, and verifies its certificate by its host."""
    tasks: str
    """The name whose DNS records are its replicas' addresses: `tasks.<service of the Swarm>`."""
    replicas: int
    proxied: int | None = None
    """The port at which replicas expect the PROXY protocol; None: they don't, and take the edge for the client."""


def configuration(routes: Sequence[Route], ca_file: str, stop_seconds: float) -> str:
    """Return `haproxy.cfg`; once the edge is told to stop, connections may last `stop_seconds`."""
    sections = [_DEFAULTS.format(stop=max(1, ceil(stop_seconds))), *(_route(one, ca_file) for one in routes)]
    return "\n".join(sections)


def health(routes: Sequence[Route]) -> str:
    """Return a shell command that checks that the edge listens on all ports; no image of HAProxy has a client."""
    listening = (f"grep -Eq ': 0+:{one.endpoint.port:04X} 0+:0000 0A ' /proc/net/tcp" for one in routes)
    return repeated(" && ".join(listening))


def _route(route: Route, ca_file: str) -> str:
    name, port = route.endpoint.host, route.endpoint.port
    # With no replica ready, one that is alive still answers, and says which part of the environment is missing.
    return f"""\
frontend {name}
    bind :{port}
    use_backend {name}-alive if {{ nbsrv({name}-ready) lt 1 }}
    default_backend {name}-ready

{_backend(route, "ready", ca_file, CHECK_SECONDS)}
{_backend(route, "alive", ca_file, CHECK_SECONDS * 5, path="health")}"""


def _backend(route: Route, kind: str, ca_file: str, seconds: int, path: str = "ready") -> str:
    name, port = route.endpoint.host, route.endpoint.port
    header = "\n    default-server send-proxy-v2 check-send-proxy" if route.proxied else ""
    verified = f"check-ssl verify required ca-file {ca_file} check-sni {name} verifyhost {name}"
    return f"""\
backend {name}-{kind}
    option httpchk
    http-check send meth GET uri /{path} ver HTTP/1.1 hdr Host {name}
    http-check expect status 200
    default-server check inter {seconds}s fastinter 500ms downinter 1s fall 2 rise 1
    default-server {verified}{header}
    default-server resolvers docker resolve-prefer ipv4 init-addr none
    server-template {name}- {route.replicas + SPARE} {route.tasks}:{route.proxied or port}
"""
