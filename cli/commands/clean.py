"""`dashtam clean`."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.commands.parameters import AsJson, NoInstall, Yes
from cli.core.errors import UsageError
from cli.engine.connect import connect
from cli.environments import clone, tool_environment
from cli.operations import clean as cleaning
from cli.operations import session
from cli.pulumi.process import Pulumi
from cli.ui import questions
from cli.ui.console import announce, out
from cli.ui.json_result import print_json

app = typer.Typer(add_completion=False)

_LABELS = {
    "containers": "container",
    "networks": "network",
    "volumes": "volume",
    "data": "volume with data",
    "stacks": "state of",
    "lost": "all state, whose passphrase is lost, in",
}


@app.command("clean", epilog="Examples: ./dashtam clean --dry-run; ./dashtam clean; ./dashtam clean --clone 1a2b3c4d5e")
def clean(
    *,
    gone: Annotated[
        str | None, typer.Option("--clone", metavar="ID", help="Of another clone, whose folder is gone, by its id.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only list what would be removed.")] = False,
    yes: Yes = False,
    no_install: NoInstall = False,
    as_json: AsJson = False,
) -> None:
    """Remove all environments of this clone: containers, networks, data and Pulumi's state.

    Lists them and asks first. Takes no snapshot; existing snapshots and images stay.
    """
    if as_json and not (yes or dry_run):
        raise UsageError("--json can't prompt.", remedy="Add --yes to remove, or --dry-run to list.")
    client = connect()  # first: an engine that doesn't answer is not started or installed for this
    here = session.prepare(install=not no_install, needs="engine", stacks=False)
    whose, pulumi = here.clone, here.pulumi
    if gone is not None:
        whose = clone.gone(gone)
        pulumi = Pulumi(tool_environment.of(whose, here.environ), here.clone.root)
    found = cleaning.find(client, pulumi, whose)
    if not as_json:
        _show(found)
    if not dry_run and found.any:
        if not yes:
            data = f", and the data in {', '.join(found.data)} for good" if found.data else ""
            questions.confirm(f"Remove all of this{data}?", as_json=as_json)
        found = cleaning.remove(client, pulumi, whose, found)
        announce("Everything is removed." if gone else "Everything is removed. `./dashtam up dev` starts from nothing.")
    if as_json:
        names = [name for found_names in found.named().values() for name in found_names]
        print_json({**found.named(), "removed": [] if dry_run else names})


def _show(found: cleaning.Leftovers) -> None:
    for kind, names in found.named().items():
        for name in names:
            out.print(f"{_LABELS[kind]} {name}")
    if not found.any:
        out.print("Nothing of this clone is in Docker.")
