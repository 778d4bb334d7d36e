"""The commands by name, each imported when it is needed: importing all of them takes a second."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

from typer.core import TyperGroup
from typer.main import get_command

from cli.commands import swarm_support
from cli.help import RootContext, simplify

if TYPE_CHECKING:
    from typer._click.core import Command, Context

simplify()

PANELS: Mapping[str, Mapping[str, str]] = {
    "Environments": {
        "up": "cli.commands.up",
        "down": "cli.commands.down",
        "restart": "cli.commands.restart",
        "rebuild": "cli.commands.rebuild",
        "destroy": "cli.commands.destroy",
        "clean": "cli.commands.clean",
    },
    "See what is there": {
        "status": "cli.commands.status",
        "logs": "cli.commands.logs",
        "open": "cli.commands.open",
        "drift": "cli.commands.drift",
        "graph": "cli.commands.graph",
        "doctor": "cli.commands.doctor",
    },
    "Work inside": {
        "test": "cli.commands.test",
        "shell": "cli.commands.shell",
        "exec": "cli.commands.exec",
        "db-shell": "cli.commands.db_shell",
        "redis-cli": "cli.commands.redis_cli",
        "env": "cli.commands.env",
        "export": "cli.commands.export",
    },
    "Data": {
        "snapshot": "cli.commands.snapshot",
        "backup": "cli.commands.backup",
        "restore": "cli.commands.restore",
        "seed": "cli.commands.seed",
    },
    "Certificates, keys, images": {
        "trust": "cli.commands.trust",
        "untrust": "cli.commands.untrust",
        "certs": "cli.commands.certs",
        "keys": "cli.commands.keys",
        "images": "cli.commands.images",
    },
}
"""The modules of the commands, as `--help` lists them. Each has a `typer.Typer` named `app`: a command, or a group."""

MODULES: Mapping[str, str] = {name: module for panel in PANELS.values() for name, module in panel.items()}


class Commands(Mapping[str, "Command"]):
    """The commands; asking for one imports it."""

    def __getitem__(self, name: str) -> Command:
        command = get_command(import_module(MODULES[name]).app)
        command.name = name
        swarm_support.guard(command, name)
        # A TyperCommand or a TyperGroup; both have it.
        panel = next(panel for panel, modules in PANELS.items() if name in modules)
        setattr(command, "rich_help_panel", panel)  # noqa: B010
        return command

    def __iter__(self) -> Iterator[str]:
        return iter(MODULES)

    def __len__(self) -> int:
        return len(MODULES)


class LazyGroup(TyperGroup):
    """A group whose commands are imported when they are needed."""

    context_class = RootContext

    def __init__(self, **settings: Any) -> None:  # noqa: ANN401 - whatever a group takes
        super().__init__(**settings)
        self.commands = Commands()  # type: ignore[assignment]  # nothing is added to it

    def list_commands(self, ctx: Context) -> list[str]:  # noqa: ARG002 - they are the same in every context
        """Return the names, in the order of the help."""
        return list(MODULES)
