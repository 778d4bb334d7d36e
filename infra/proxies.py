"""The proxies that image builds and the service use: those of Docker's own config, else those of this shell.

Pure: shared by the program and the operator commands. Builders take arguments of these names without a declaration, and
leave them out of the image and of its cache and history (docs.docker.com, Dockerfile reference, Predefined ARGs).
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from infra.config.values import is_address
from infra.loopback import LOCAL

NAMES = {"HTTP_PROXY": "httpProxy", "HTTPS_PROXY": "httpsProxy", "FTP_PROXY": "ftpProxy", "NO_PROXY": "noProxy"}
"""The names in Docker's config, by variable."""


def for_containers(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return the proxies by variable, in both cases of its name; empty where there is none."""
    found = _of_docker(environ) or _of_shell(environ)
    found = {name: value if name == "NO_PROXY" else _with_scheme(value) for name, value in found.items()}
    if found.keys() <= {"NO_PROXY"}:
        return {}
    return {spelled: value for name, value in found.items() for spelled in (name, name.lower())}


def for_url(url: str, environ: Mapping[str, str] = os.environ) -> str:
    """Return the HTTP proxy through which a container reaches an HTTPS URL; empty where it needs none."""
    found = for_containers(environ)
    chosen, host = found.get("HTTPS_PROXY", ""), urlsplit(url).hostname or ""
    excepted = [one.strip().lstrip(".") for one in found.get("NO_PROXY", "").split(",")]
    is_excepted = any(one and (one == "*" or f".{host}".endswith(f".{one}")) for one in excepted)
    return "" if is_excepted or chosen.startswith("socks") else _with_scheme(chosen)


def only_here(environ: Mapping[str, str] = os.environ) -> list[str]:
    """Return the variables whose proxy is on this machine's loopback, where no container reaches it."""
    return [name for name in NAMES if name != "NO_PROXY" and _is_loopback(_variable(name, environ))]


def _of_docker(environ: Mapping[str, str]) -> dict[str, str]:
    """Read what Docker's own clients give to builds and containers: meant for these, so a loopback is one there."""
    folder = environ.get("DOCKER_CONFIG") or Path(environ.get("HOME") or "/") / ".docker"
    config: Any = {}
    with suppress(OSError, ValueError):
        config = json.loads((Path(folder) / "config.json").read_text(encoding="utf-8"))
    proxies = config.get("proxies") if isinstance(config, dict) else None
    if not isinstance(proxies, dict):
        return {}
    chosen = proxies.get(environ.get("DOCKER_HOST", "")) or proxies.get("default") or {}
    if not isinstance(chosen, dict):
        return {}
    return {name: str(chosen[key]) for name, key in NAMES.items() if chosen.get(key)}


def _of_shell(environ: Mapping[str, str]) -> dict[str, str]:
    found = {name: _variable(name, environ) for name in NAMES}
    return {name: value for name, value in found.items() if value and not _is_loopback(value)}


def _variable(name: str, environ: Mapping[str, str]) -> str:
    everything = environ.get("ALL_PROXY") or environ.get("all_proxy") or ""
    fallback = everything if name in {"HTTP_PROXY", "HTTPS_PROXY"} else ""
    return environ.get(name.lower()) or environ.get(name) or fallback


def _is_loopback(value: str) -> bool:
    host = urlsplit(_with_scheme(value)).hostname or ""
    return host in LOCAL or (host.startswith("127.") and is_address(host))


def _with_scheme(value: str) -> str:
    return value if not value or "://" in value else f"http://{value}"
