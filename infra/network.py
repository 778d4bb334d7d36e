"""The environment's own network."""

from __future__ import annotations

import pulumi
import pulumi_docker as docker

from infra.naming import Naming


def network(naming: Naming, *, internal: bool, opts: pulumi.ResourceOptions) -> docker.Network:
    """Declare the network that one environment's containers share; an internal one has no way out."""
    labels = [docker.NetworkLabelArgs(label=key, value=value) for key, value in naming.labels("network").items()]
    return docker.Network("network", name=naming.network, driver="bridge", internal=internal, labels=labels, opts=opts)
