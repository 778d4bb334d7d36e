"""What stands in the way of an environment, looked for before anything is changed."""

from __future__ import annotations

import errno
import json
import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import yaml

from cli.clone import Clone
from cli.engine_view import EngineView, Holding
from cli.errors import UserError
from cli.paths import data_home
from infra import settings
from infra.config_errors import ConfigError
from infra.naming import SERVICES, Naming
from infra.providers import read_credentials

LOOPBACK = "127.0.0.1"


def require_free(clone: Clone, view: EngineView, stack: str) -> None:
    """Make sure that an environment's names and ports are its own or free, and that its config is valid.

    Args:
        clone: This clone.
        view: The engine.
        stack: The environment.

    Raises:
        UserError: The config is wrong, or a name or port is taken; it says by whom.
    """
    config = configuration(clone.root, stack)
    for taken in _foreign(view, Naming(stack, clone.id)):
        raise _name_taken(taken, stack)
    own = {port for one in view.containers(stack, clone.id) for bound in one.ports.values() for port in bound}
    for service, port in config.ports.items():
        if port is not None and port not in own:
            _require_free_port(view, stack, service, port)


def configuration(root: Path, stack: str) -> settings.StackSettings:
    """Return an environment's settings from its file, which names further ones that must be there.

    Args:
        root: The project's root.
        stack: The environment.

    Returns:
        The settings.

    Raises:
        UserError: The file is not valid.
    """
    name = f"Pulumi.{stack}.yaml"
    try:
        document = yaml.safe_load((root / name).read_text()) or {}
        config = settings.load_document(stack, document.get("config") or {})
        read_credentials(stack, config.providers)
    except (ConfigError, yaml.YAMLError) as error:
        raise UserError(f"{name} is not valid.", cause=str(error), remedy=f"Edit {name}.") from None
    return config


def _foreign(view: EngineView, naming: Naming) -> Iterator[Holding]:
    names = {naming.network, *(naming.data_volume(service) for service in SERVICES)}
    for service in SERVICES:
        names |= {naming.container(service), naming.container(f"{service}-files"), naming.files_volume(service)}
    return (held for held in view.holdings() if held.name in names and held.owner != naming.owner)


def _name_taken(held: Holding, stack: str) -> UserError:
    what = f"The {held.kind} name {held.name}, which {stack} needs, is taken"
    remove = {"container": "docker rm -f", "network": "docker network rm", "volume": "docker volume rm"}[held.kind]
    if not held.owner:
        return UserError(
            f"{what}.",
            cause=f"There is a {held.kind} of that name that this project did not make.",
            remedy=f"Rename it, or remove it if it isn't needed: {remove} {held.name}",
        )
    home = _clone_folder(held.owner)
    remedy = f"Remove that one first: (cd {home} && ./dashtam destroy {stack})" if home else ""
    return UserError(
        f"{what} by another clone of this project{f' in {home}' if home else ''}.",
        cause="Environments of one name use the same names and ports in every clone.",
        remedy=remedy or f"That clone is gone; if its data isn't needed: {remove} {held.name}",
    )


def _clone_folder(owner: str) -> str | None:
    record = data_home() / "clones" / owner / "clone.json"
    with suppress(OSError, ValueError):
        folder: str = json.loads(record.read_text())["root"]
        return folder
    return None


def _require_free_port(view: EngineView, stack: str, service: str, port: int) -> None:
    with socket.socket() as probe:
        # As the engine binds: a connection of the past that lingers is no obstacle.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                return
            raise UserError(
                f"Port {port}, which {stack} needs for {service}, is taken.",
                cause=f"{_listener(view, port)} listens on it.",
                remedy=f"Stop that, or set another port for dashtam:{service} in Pulumi.{stack}.yaml.",
            ) from None


def _listener(view: EngineView, port: int) -> str:
    for one in view.all_containers():
        if port in one.host_ports:
            return f"The container {one.name}"
    with suppress(psutil.Error):
        for connection in psutil.net_connections(kind="tcp"):
            if (
                connection.status == psutil.CONN_LISTEN
                and connection.laddr
                and connection.laddr.port == port
                and connection.pid
            ):
                return f"The process {psutil.Process(connection.pid).name()} (pid {connection.pid})"
    return "Another process"
