"""One service of an environment: its endpoint, its certificate, and what its target is to run.

The modules beside this one say what is each service's own.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import pulumi

from infra.certificates import Certificates
from infra.endpoints import Endpoint
from infra.targets.target import Target
from infra.targets.workload import MOUNT, Workload

TLS_VARIABLES = {
    "TLS_CA_FILE": f"{MOUNT}/ca.crt",
    "TLS_CERTIFICATE_FILE": f"{MOUNT}/tls.crt",
    "TLS_KEY_FILE": f"{MOUNT}/tls.key",
}
"""Where a server that is configured by variables finds its certificate, and the CA to verify others with."""


@dataclass(frozen=True)
class Shared:
    """What all services of an environment have in common: where they run, and who signs their certificates."""

    target: Target
    certificates: Certificates


class Service(pulumi.ComponentResource):
    """A service of an environment; a subclass makes its secrets and ends with `run`.

    Services start side by side and wait for each other themselves: `up` takes as long as the slowest, not as the sum.
    """

    workload: Workload

    def __init__(self, name: str, port: int, published: int | None, shared: Shared) -> None:
        super().__init__(f"dashtam:index:{name.capitalize()}", name, None, shared.target.child)
        reach = shared.target.settings.network
        names = tuple(dict.fromkeys((*shared.target.naming.hosts(name), *reach.names)))
        self.endpoint = Endpoint(name, port, published, names, reach)
        self.shared = shared
        self.child = pulumi.ResourceOptions(parent=self)

    def run(self, own: Workload) -> None:
        """Say what it runs, besides its certificate and the CA's, and on which ports besides its own."""
        tls = self.shared.certificates.issue(self.endpoint)
        self.workload = replace(own, files={**tls, **own.files}, ports=[self.endpoint, *own.ports])
        self.shared.target.prepare(self.workload, self.child)
        self.register_outputs({"volume": self.workload.data.volume})
