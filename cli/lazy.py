"""The commands by name, each imported when it is asked for: what all of them need takes a second to import."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

from typer.core import TyperGroup
from typer.main import get_command

if TYPE_CHECKING:
    from typer._click.core import Command, Context

MODULES: Mapping[str, str] = {
    "up": "cli.commands.up",
    "down": "cli.commands.down",
    "restart": "cli.commands.restart",
    "rebuild": "cli.commands.rebuild",
    "destroy": "cli.commands.destroy",
    "open": "cli.commands.open",
    "clean": "cli.commands.clean",
    "status": "cli.commands.status",
    "drift": "cli.commands.drift",
    "logs": "cli.commands.logs",
    "shell": "cli.commands.shell",
    "exec": "cli.commands.exec",
    "db-shell": "cli.commands.db_shell",
    "redis-cli": "cli.commands.redis_cli",
    "doctor": "cli.commands.doctor",
    "test": "cli.commands.test",
    "env": "cli.commands.env",
    "snapshot": "cli.commands.snapshot",
    "backup": "cli.commands.backup",
    "restore": "cli.commands.restore",
    "seed": "cli.commands.seed",
    "graph": "cli.commands.graph",
    "export": "cli.commands.export",
    "certs": "cli.commands.certs",
    "trust": "cli.commands.trust",
    "untrust": "cli.commands.untrust",
    "keys": "cli.commands.keys",
    "images": "cli.images.commands",
    "update": "cli.commands.update",
}
"""Each module has a `typer.Typer` of the name `app`: one command, or a group. `--help` lists them in this order."""


class Commands(Mapping[str, "Command"]):
    """The commands; asking for one imports it."""

    def __getitem__(self, name: str) -> Command:
        command = get_command(import_module(MODULES[name]).app)
        command.name = name
        return command

    def __iter__(self) -> Iterator[str]:
        return iter(MODULES)

    def __len__(self) -> int:
        return len(MODULES)


class LazyGroup(TyperGroup):
    """A group whose commands are imported when they are asked for."""

    def __init__(self, **settings: Any) -> None:  # noqa: ANN401 - whatever a group takes
        super().__init__(**settings)
        self.commands = Commands()  # type: ignore[assignment]  # nothing is added to it

    def list_commands(self, ctx: Context) -> list[str]:  # noqa: ARG002 - they are the same in every context
        """Return the names, in the order of the help."""
        return list(MODULES)
