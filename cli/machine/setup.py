"""Getting a machine ready, as every command that needs it asks for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cli.engine.connect import Engine, UnreachableError, explain
from cli.engine.remembered import find_remembered_engine
from cli.machine.environment import tool_environment
from cli.machine.pulumi import require_toolchain

if TYPE_CHECKING:
    from cli.machine.toolchain import Toolchain


@dataclass(frozen=True)
class Machine:
    """A machine that is ready."""

    engine: Engine | None
    toolchain: Toolchain
    environment: dict[str, str]


def prepare(*, install: bool, need_engine: bool) -> Machine:
    """Return a ready machine, after making it ready if need be."""
    engine = require_engine(install=install) if need_engine else _reachable_engine(remember=install)
    toolchain = require_toolchain(install=install)
    return Machine(engine, toolchain, tool_environment(toolchain, engine))


def require_engine(*, install: bool) -> Engine:
    """Return an engine that answers, starting or installing one if need be."""
    try:
        return find_remembered_engine(remember=install)
    except UnreachableError as failure:
        if not install:
            raise explain(failure) from failure
        from cli.machine.engine_setup import set_up_engine  # noqa: PLC0415 - needed once a machine

        return set_up_engine(failure)


def _reachable_engine(*, remember: bool) -> Engine | None:
    try:
        return find_remembered_engine(remember=remember)
    except UnreachableError:
        return None
