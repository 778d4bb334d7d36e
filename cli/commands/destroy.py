"""`dashtam destroy`."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from cli.commands.parameters import AsJson, Environments, NoInstall
from cli.environments import handle
from cli.environments.configuration import require_readable
from cli.operations import session
from cli.trust_stores import authority
from cli.ui import questions
from cli.ui.console import announce
from cli.ui.json_result import print_json

if TYPE_CHECKING:
    from cli.operations.destroy import Removal

app = typer.Typer(add_completion=False)


@app.command("destroy", epilog="Examples: ./dashtam destroy test; ./dashtam destroy feature-x feature-y")
def destroy(  # noqa: PLR0913 - each an option of the command
    environments: Environments,
    *,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Don't ask; a snapshot is taken all the same.")] = False,
    no_snapshot: Annotated[bool, typer.Option("--no-snapshot", help="Take no snapshot: the data is lost.")] = False,
    engine_lost: Annotated[
        bool,
        typer.Option("--engine-lost", help="Remove the environment's state; its Docker engine no longer exists."),
    ] = False,
    no_install: NoInstall = False,
    as_json: AsJson = False,
) -> None:
    """Remove environments with everything in them, like `pulumi destroy`.

    Asks for each that has data, and takes a snapshot of it first, which `./dashtam snapshot restore` puts back.
    """
    chosen = list(dict.fromkeys(environments))
    for environment in chosen:
        handle.require(environment)
        require_readable(environment)
    here = session.prepare(install=not no_install, needs="engine")
    from cli.operations.destroy import Removal  # noqa: PLC0415 - what takes snapshots is slow to import

    removals = [Removal(here, environment, engine_lost) for environment in chosen]
    for removal in removals:
        removal.require_possible(snapshot=not no_snapshot)
    # Every question comes before anything is removed.
    agreed = [
        None if yes else _ask(one, as_json=as_json, snapshot=not no_snapshot, engine_lost=engine_lost)
        for one in removals
    ]
    removed = []
    for removal, data in zip(removals, agreed, strict=True):
        source = removal.source
        taken = removal.run(data, snapshot=not no_snapshot)
        if authority.trusted(here.clone, removal.stack):
            announce(f"This machine still trusts its CA: `./dashtam untrust {removal.stack}`.")
        announce(f"{removal.stack} is removed.")
        if taken:
            announce(f"Restore it with {_way_back(removal.stack, source, taken.name)}.")
        removed.append({"environment": removal.stack, "snapshot": asdict(taken) if taken else None})
    if as_json:
        print_json({"environments": removed})


def _way_back(stack: str, source: str, snapshot: str) -> str:
    """Return the commands that make an environment again with its data."""
    restore = f"`./dashtam snapshot restore {stack} {snapshot}`"
    return restore if source == stack else f"`./dashtam up {source} --name {stack}`, then {restore}"


def _ask(removal: Removal, *, as_json: bool, snapshot: bool, engine_lost: bool) -> set[str]:
    """Ask whether an environment may be removed; return the volumes with data that the answer is about."""
    data = removal.data()
    if engine_lost and removal.is_elsewhere():
        questions.confirm(
            f"Delete {removal.stack} from Pulumi's state? Its passwords and keys are deleted too; its data on the other"
            " Docker engine can then never be read.",
            as_json=as_json,
        )
    if data:
        question = "Take a snapshot, and remove it?" if snapshot else "Remove it? The data will be lost."
        questions.confirm(f"{removal.stack} has data in {', '.join(sorted(data))}. {question}", as_json=as_json)
    return data
