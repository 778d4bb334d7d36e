"""Which Docker engine a user has chosen, read as the docker command reads it, without that command."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cli.core.errors import UserError
from cli.core.hashing import text_sha256

DEFAULT_SOCKET = Path("/var/run/docker.sock")
"""Where an engine listens by default."""

_DESKTOPS = (".docker/run", ".docker/desktop", ".colima/default", ".orbstack/run", ".rd")
"""Where the engines of virtual machines listen: Docker Desktop's, Colima's, OrbStack's, Rancher Desktop's."""


@dataclass(frozen=True)
class Endpoint:
    """An address that an engine may answer at."""

    host: str
    origin: str
    chosen: bool
    certificates: Path | None = None

    @property
    def socket(self) -> Path | None:
        """The path of its Unix socket, if it is one."""
        return Path(self.host.removeprefix("unix://")) if self.host.startswith("unix://") else None

    def environment(self) -> dict[str, str]:
        """Return the variables that point Docker's clients at it."""
        variables = {"DOCKER_HOST": self.host}
        if self.certificates:
            variables |= {"DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": str(self.certificates)}
        return variables


def endpoints() -> list[Endpoint]:
    """List where an engine may be, the preferred one first."""
    host = os.environ.get("DOCKER_HOST")
    if host:
        return [_from_variable(host)]
    context = os.environ.get("DOCKER_CONTEXT") or _read_json(docker_folder() / "config.json").get("currentContext")
    name = str(context or "")
    if name not in {"", "default"}:
        return [_from_context(name)]
    return [Endpoint(f"unix://{path}", "default socket", chosen=False) for path in _usual_sockets()]


def _from_variable(host: str) -> Endpoint:
    verified = bool(os.environ.get("DOCKER_TLS_VERIFY"))
    folder = Path(os.environ.get("DOCKER_CERT_PATH") or docker_folder()) if verified else None
    # What `./dashtam env` exports is not a choice that would forbid installing an engine.
    return Endpoint(host, "DOCKER_HOST", chosen=host != f"unix://{DEFAULT_SOCKET}", certificates=folder)


def _from_context(name: str) -> Endpoint:
    identity = text_sha256(name)
    contexts = docker_folder() / "contexts"
    found = _read_json(contexts / "meta" / identity / "meta.json")
    host = found.get("Endpoints", {}).get("docker", {}).get("Host")
    if not host:
        raise UserError(
            f"The docker context {name!r} does not exist.",
            cause=f"{contexts} holds no endpoint of that name.",
            remedy="List them with `docker context ls`, then `docker context use NAME`, or unset DOCKER_CONTEXT.",
        )
    certificates = contexts / "tls" / identity / "docker"
    return Endpoint(host, f"context {name}", chosen=True, certificates=certificates if certificates.is_dir() else None)


def _usual_sockets() -> list[Path]:
    # Sessions that su and cron begin lack the variable.
    rootless = Path(os.environ.get("XDG_RUNTIME_DIR") or f"/run/user/{os.getuid()}") / "docker.sock"
    desktop = [Path.home() / folder / "docker.sock" for folder in _DESKTOPS]
    return [DEFAULT_SOCKET, rootless, *desktop]


def docker_folder() -> Path:
    """Return the folder of Docker's clients' own config."""
    return Path(os.environ.get("DOCKER_CONFIG") or Path.home() / ".docker")


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise unreadable(path, str(error)) from error
    if not isinstance(content, dict):
        raise unreadable(path, "It is not a JSON object.")
    return content


def unreadable(path: Path, reason: str) -> UserError:
    """Return the error for a file of Docker's clients that can't be used."""
    return UserError(f"{path} can't be read.", cause=reason, remedy="Correct or delete the file.")
