"""A container of the project as `docker inspect` shows it."""

from __future__ import annotations

from typing import Any

LABELS = {
    "dashtam.project": "dashtam",
    "dashtam.stack": "test",
    "dashtam.component": "app",
    "dashtam.owner": "me",
}
DOCUMENT: dict[str, Any] = {
    "Id": "id-app",
    "Name": "/dashtam-test-app",
    "Config": {"Labels": LABELS, "Image": "dashtam/production:1"},
    "State": {
        "Status": "running",
        "ExitCode": 0,
        "StartedAt": "2026-01-02T03:04:05Z",
        "Health": {"Status": "healthy", "Log": [{"ExitCode": 0, "Output": "ready\n"}]},
    },
    "NetworkSettings": {
        "Ports": {"8000/tcp": [{"HostIp": "127.0.0.1", "HostPort": "8001"}], "8182/tcp": None},
        "Networks": {"dashtam-test-network": {}},
    },
}
