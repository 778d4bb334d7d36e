"""What stands in the way of an environment, looked for before anything is changed."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import psutil
import yaml

from cli.core.errors import UserError
from cli.engine.inventory import EngineView, Holding
from cli.environments import free_ports
from cli.environments.clone import Clone, known
from infra import settings
from infra.config_errors import ConfigError
from infra.naming import Naming
from infra.placement import Placement
from infra.providers import read_credentials


def require_free(clone: Clone, view: EngineView, stack: str, placed: Placement) -> None:
    """Make sure that an environment's names and ports are its own or free, and that its config is valid.

    Args:
        clone: This clone.
        view: The engine.
        stack: The environment.
        placed: Where it is put.

    Raises:
        UserError: The config is wrong, or a name or port is taken; it says by whom.
    """
    config = placed.applied(configuration(clone.root, stack))
    naming = Naming(stack, clone.id, placed.name)
    for held in view.holdings():
        if held.name in naming.names and held.owner != clone.id:
            raise _name_taken(held, stack)
    own = {port for one in view.containers(stack, clone.id) for bound in one.ports.values() for port in bound}
    for service, port in config.ports.items():
        if port is not None and port not in own and free_ports.is_bound(port):
            raise _port_taken(view, stack, service, port, placed)


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


def _name_taken(held: Holding, stack: str) -> UserError:
    what = f"The {held.kind} name {held.name}, which {stack} needs, is taken"
    remove = {"container": "docker rm -f", "network": "docker network rm", "volume": "docker volume rm"}[held.kind]
    another = f"make another environment here: `./dashtam up {stack} --name NAME`"
    if not held.owner:
        return UserError(
            f"{what}.",
            cause=f"There is a {held.kind} of that name that this project did not make.",
            remedy=f"Remove it if it isn't needed: {remove} {held.name}; or leave it, and {another}",
        )
    clone = known(held.owner)
    home = clone.root if clone else None
    return UserError(
        f"{what} by another clone of this project{f' in {home}' if home else ''}.",
        cause=f"{stack} was brought up here first, and that clone took the name while it was down.",
        remedy=f"Remove that one first: (cd {home} && ./dashtam destroy {stack}); or leave it, and {another}"
        if home
        else f"That clone is gone; if its data isn't needed: {remove} {held.name}; or leave it, and {another}",
    )


def _port_taken(view: EngineView, stack: str, service: str, port: int, placed: Placement) -> UserError:
    edit = "" if service in placed.ports else f", set another port for dashtam:{service} in Pulumi.{stack}.yaml"
    return UserError(
        f"Port {port}, which {stack} needs for {service}, is taken.",
        cause=f"{_listener(view, port)} listens on it.",
        remedy=f"Stop that{edit}, or bring up another environment of the same config on free ports:"
        f" `./dashtam up {stack} --name NAME`.",
    )


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
