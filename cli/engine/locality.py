"""Which computer an engine is on: this one, or another, whose ports and disk can't be judged from here."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from infra.loopback import LOCAL

FORWARDING = ("docker desktop", "docker-desktop", "colima", "orbstack", "rancher-desktop", "lima-")
"""How virtual machines on this computer name themselves or their system; they forward published ports to it."""


def is_here(info: Mapping[str, Any]) -> bool:
    """Return whether an engine runs under this computer's own kernel and host name, by what it reports of itself."""
    return info.get("Name") == platform.node() and info.get("KernelVersion", platform.release()) == platform.release()


def publishes_here(info: Mapping[str, Any], address: str) -> bool:
    """Return whether ports that an engine publishes are this computer's; `address` is the client's base URL."""
    near = address.startswith("http+docker:") or urlsplit(address).hostname in LOCAL
    reported = f"{info.get('Name', '')} {info.get('OperatingSystem', '')}".lower()
    return is_here(info) or (near and any(mark in reported for mark in FORWARDING))
