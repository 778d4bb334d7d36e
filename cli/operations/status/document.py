"""Environments for scripts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from cli.engine.container import ContainerView
from cli.engine.tasks import ServiceView
from cli.operations.status.collect import Overview


def describe(container: ContainerView) -> dict[str, Any]:
    """Return a service's state for scripts."""
    return {
        "environment": container.stack,
        "owner": container.owner,
        "service": container.component,
        "container": container.name,
        "state": container.state,
        "health": container.health,
        "started": container.started,
        "uptime_seconds": uptime(container),
        "ports": {inner: outer for inner, outer in container.ports.items() if outer},
        "image": container.image,
        **({"replica": container.replica, "node": container.node or None} if container.replica else {}),
    }


def replicas(service: ServiceView) -> dict[str, Any]:
    """Return a Swarm's service for scripts."""
    return {
        "service": service.component,
        "name": service.name,
        "wanted": service.wanted,
        "running": service.running,
        "updated": service.updated,
        "image": service.image,
        "update": service.update or None,
        "message": service.message or None,
    }


def document(found: Sequence[Overview]) -> dict[str, Any]:
    """Return environments for scripts."""
    return {
        "services": [
            {**describe(one), "image_reference": each.images.get(one.component)}
            for each in found
            for one in each.services
        ],
        "environments": [
            {
                "environment": one.environment,
                "owner": one.owner,
                "folder": one.folder,
                "state": one.state,
                "only": list(one.only),
                "urls": dict(one.urls),
                "certificates_expire": one.expiry.isoformat() if one.expiry else None,
                "drift": None if one.drift is None else one.drift > 0,
                "differences": one.drift,
                "data_bytes": one.data,
                **({"swarm": [replicas(service) for service in one.swarm]} if one.swarm else {}),
            }
            for one in found
        ],
    }


def uptime(container: ContainerView) -> int | None:
    """Return for how many seconds a container has been running; None where it isn't."""
    if container.state != "running":
        return None
    return max(0, round((datetime.now(UTC) - datetime.fromisoformat(container.started)).total_seconds()))
