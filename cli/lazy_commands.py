"""The commands by name, each imported when it is needed: importing all of them takes a second."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any

from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from cli.help import RootContext, simplify
from cli.operations import swarm_support

if TYPE_CHECKING:
    from typer._click.core import Command, Context
    from typer._click.formatting import HelpFormatter
    from typer._click.shell_completion import CompletionItem

simplify()

PANELS: Mapping[str, Mapping[str, str]] = {
    "Environments": {
        "up": "Start environments; set up this machine if needed, and wait until every service is healthy.",
        "down": (
            "Remove environments' services and networks; data, passwords and certificates stay for the next `up`."
        ),
        "restart": "Restart services in the order of their dependencies, and wait until they are healthy.",
        "rebuild": (
            "Build services' images again, and start the environments with them; `up` does it where the source changed."
        ),
        "destroy": "Remove environments with everything in them, like `pulumi destroy`.",
        "clean": "Remove all environments of this clone: containers, networks, data and Pulumi's state.",
    },
    "See what is there": {
        "status": "Show services, health, URLs, ports, certificates, data and drift of environments. Changes nothing.",
        "logs": "Show services' logs, sorted by time, each service in its own colour.",
        "open": "Open an environment's app, API docs, callback server or sandbox in your browser, and print the URL.",
        "drift": "Compare Docker with Pulumi's state. Exits 2 if they differ.",
        "graph": (
            "Draw an environment as it is in Docker now: services and their connections, network, ports and volumes."
        ),
        "doctor": (
            "Check this machine and its environments, and print a remedy for each problem. Exits 2 if there are any."
        ),
    },
    "Work inside": {
        "test": "Run tests; bring the test environment up if they use it.",
        "shell": "Open a shell in a service's container, as the service's user.",
        "exec": "Run a command in a service's container, with its input, output and exit status.",
        "db-shell": (
            "Open psql on an environment's database, as its owner, over verified TLS; arguments are passed to psql."
        ),
        "redis-cli": (
            "Open redis-cli on an environment's cache, as the service's user, over TLS; arguments are passed to it."
        ),
        "env": "Print shell exports for Pulumi, pytest or database clients.",
        "export": "Export an environment to other tools.",
    },
    "Data": {
        "snapshot": "Snapshots of an environment's data: Postgres and Redis together, checksummed, put back whole.",
        "backup": (
            "Write an environment's database to one file: a compressed `pg_dump` archive, with a checksum at its end."
        ),
        "restore": "Replace an environment's database with a backup or an ordinary dump: whole, or not at all.",
        "seed": "Put data into an environment's database, in one transaction: sample accounts, or a file of SQL.",
    },
    "Certificates, keys, images": {
        "trust": (
            "Let this machine and its browsers trust an environment's CA, so that they open its pages "
            "without a warning."
        ),
        "untrust": (
            "Remove what `./dashtam trust` added to the trust stores for an environment, nothing else. Asks first."
        ),
        "certs": "Show the certificates that an environment's services serve. Exits 2 if clients refuse one.",
        "keys": "Rotate the keys that encrypt tokens.",
        "images": "The base images: where they come from, and what is here.",
    },
}
"""The commands as `--help` lists them, each with the first sentences of its own help."""

SUMMARIES: Mapping[str, str] = {name: summary for panel in PANELS.values() for name, summary in panel.items()}

_PANEL_OF: Mapping[str, str] = {name: panel for panel, names in PANELS.items() for name in names}


class Commands(Mapping[str, "Command"]):
    """The commands; asking for one imports its module, whose `app` is a command or a group."""

    def __getitem__(self, name: str) -> Command:
        if name not in SUMMARIES:
            raise KeyError(name)
        command = get_command(import_module(_module(name)).app)
        command.name = name
        swarm_support.guard(command, name)
        return command

    def __iter__(self) -> Iterator[str]:
        return iter(SUMMARIES)

    def __len__(self) -> int:
        return len(SUMMARIES)

    def has_imported(self, name: str) -> bool:
        """Return whether a command is there and its module is imported to the end."""
        return name in SUMMARIES and _module(name) in sys.modules


def _module(name: str) -> str:
    return f"cli.commands.{name.replace('-', '_')}"


class LazyGroup(TyperGroup):
    """A group whose commands are imported when they are needed, and not to be listed."""

    context_class = RootContext

    def __init__(self, **settings: Any) -> None:  # noqa: ANN401 - whatever a group takes
        super().__init__(**settings)
        self.commands = Commands()  # type: ignore[assignment]  # nothing is added to it

    def list_commands(self, ctx: Context) -> list[str]:  # noqa: ARG002 - they are the same in every context
        """Return the names, in the order of the help."""
        return list(SUMMARIES)

    def format_help(self, ctx: Context, formatter: HelpFormatter) -> None:
        """Print the help."""
        with self._listed():
            super().format_help(ctx, formatter)

    def shell_complete(self, ctx: Context, incomplete: str) -> list[CompletionItem]:
        """Return what the word may become."""
        with self._listed():
            return super().shell_complete(ctx, incomplete)

    @contextmanager
    def _listed(self) -> Iterator[None]:
        """Have summaries in the commands' place."""
        imported = self.commands
        self.commands = {
            name: TyperCommand(name, help=summary, rich_help_panel=_PANEL_OF[name])
            for name, summary in SUMMARIES.items()
        }
        try:
            yield
        finally:
            self.commands = imported
