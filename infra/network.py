"""The environment's own network."""

from __future__ import annotations

import pulumi
import pulumi_docker as docker

from infra.naming import Naming


def network(naming: Naming, *, internal: bool, opts: pulumi.ResourceOptions | None = None) -> docker.Network:
    """Declare the network that one environment's containers share, and nobody else.

    Args:
        naming: The environment's names.
        internal: Whether it has no way out to the internet and to other networks.
        opts: Resource options.

    Returns:
        The network; its `name` is what containers join.
    """
    labels = [docker.NetworkLabelArgs(label=key, value=value) for key, value in naming.labels("network").items()]
    return docker.Network("network", name=naming.network, driver="bridge", internal=internal, labels=labels, opts=opts)
