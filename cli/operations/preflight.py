"""What prevents an environment from coming up, looked for before anything is changed."""

from __future__ import annotations

import shlex
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial

import psutil

from cli.core.errors import UserError
from cli.engine.inventory import EngineObject, EngineView
from cli.environments import free_ports, ownership, states
from cli.environments.allocation import Allocator
from cli.environments.clone import how_to_remove, is_there, known
from cli.environments.configuration import configuration
from cli.operations import clock_and_disk, data_parts, swarm_preflight
from cli.operations.session import Session
from infra import guards
from infra.config.placement import Placement
from infra.config.settings import StackSettings
from infra.naming import DEBUGGER, Naming


def require_possible(session: Session, stack: str, *, renews: bool = False) -> None:
    """Refuse an update that can't succeed, or would take away what it must not; choose the environment's place.

    `renews`: whether the update replaces the environment's certificates.
    """
    clone = session.clone
    state = states.read(clone, stack, session.environ)
    ownership.require_own(clone, stack, state)
    if not renews:
        clock_and_disk.require_begun(stack, state.beginning, datetime.now(UTC))
    own = configuration(clone.root, stack)
    if own.target.is_swarm:
        swarm_preflight.require_swarm(session.swarm, stack, own.target)
    placed = Allocator(clone, session.engine).allocate(stack)
    naming, config = Naming(stack, clone.id, placed.name), placed.applied(own)
    require_free(session.engine, naming, config, placed)
    wanted = guards.Wanted(naming, config, placed.running(config))
    has_database = partial(data_parts.has_database, session.environment(stack))
    ownership.require(clone, session.engine, wanted, state, has_database)


def require_free(view: EngineView, naming: Naming, config: StackSettings, placed: Placement) -> None:
    """Refuse an environment whose names or ports are taken; the error names by whom."""
    stack = naming.environment
    for found in view.objects():
        if found.name in naming.names and found.owner != naming.owner:
            raise _name_taken(found, stack)
    address, here = config.network.bind_address, view.publishes_here() and not config.target.is_swarm
    ports = placed.published(config)
    if here and ports and not free_ports.is_own(address):
        raise UserError(
            f"{stack} can't publish its ports on {address}.",
            cause="No interface of this computer has that address (dashtam:network.bind_address).",
            remedy="`ip address` (Linux) or `ifconfig` lists addresses; 0.0.0.0 stands for all of them.",
        )
    own = {port for one in view.containers(stack, naming.owner) for bound in one.ports.values() for port in bound}
    # A free port of this computer has no meaning for another computer's engine.
    taken = set() if here else {port for one in view.all_containers() for port in one.host_ports}
    for service, port in ports.items():
        if port not in own and (port in taken or (here and free_ports.is_bound(port, address))):
            raise _port_taken(view, stack, service, port, placed)


def _name_taken(found: EngineObject, stack: str) -> UserError:
    what = f"The {found.kind} name {found.name}, which {stack} needs, is taken"
    remove = guards.REMOVE[found.kind]
    another = f"make another environment here: `./dashtam up {stack} --name NAME`"
    if not found.owner:
        return UserError(
            f"{what}.",
            cause=f"There is a {found.kind} of that name that this project did not make.",
            remedy=f"Remove it if it isn't needed: {remove} {found.name}; or leave it, and {another}",
        )
    clone = known(found.owner)
    if clone is None:
        way = f"Its clone isn't known here; if its data isn't needed: {remove} {found.name}"
    elif is_there(clone):
        way = f"Remove that one first: (cd {shlex.quote(str(clone.root))} && ./dashtam destroy {stack})"
    else:
        way = how_to_remove(clone)
    return UserError(
        f"{what} by another clone of this project{f' in {clone.root}' if clone else ''}.",
        cause=f"{stack} was brought up here first, and that clone took the name while it was down.",
        remedy=f"{way}; or leave it, and {another}",
    )


def _port_taken(view: EngineView, stack: str, service: str, port: int, placed: Placement) -> UserError:
    key = "app.debugger_port" if service == DEBUGGER else service
    edit = "" if service in placed.ports else f", set another port for dashtam:{key} in Pulumi.{stack}.yaml"
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
    if not view.publishes_here():
        return "Something on the engine's computer"
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
