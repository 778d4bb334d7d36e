"""Environments for scripts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from cli.engine.container import ContainerView
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
            }
            for one in found
        ],
    }


def uptime(container: ContainerView) -> int | None:
    """Return for how many seconds a container has been running; None where it isn't."""
    if container.state != "running":
        return None
    return max(0, round((datetime.now(UTC) - datetime.fromisoformat(container.started)).total_seconds()))
