"""`dashtam snapshot`: an environment's data as it was at one moment."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated, Any

import typer
from rich.table import Table

from cli.commands.arguments import Environment, Snapshot
from cli.commands.options import AsJson, NoInstall, NoSnapshot, Yes
from cli.core.errors import UserError
from cli.data.snapshots import store
from cli.data.snapshots.manifest import Manifest
from cli.data.snapshots.store import Store
from cli.engine.connect import connect
from cli.environments import environment_lock, handle
from cli.operations import session
from cli.ui import questions
from cli.ui.console import err, out
from cli.ui.progress import megabytes

app = typer.Typer(
    help="Snapshots of an environment's data: Postgres and Redis together, checksummed, put back whole.",
    no_args_is_help=True,
    add_completion=False,
)


@app.command("create", epilog="Example: ./dashtam snapshot create dev before-import")
def create(
    environment: Environment,
    name: Annotated[str | None, typer.Argument(help="The snapshot's name; from the time if absent.")] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Take a snapshot of an environment, running or not. Services are paused meanwhile; no connection is lost."""
    from cli.operations import take_snapshot as creation  # noqa: PLC0415 - only what takes one needs it

    taken = creation.create(connect(), handle.require(environment), environment, name)
    if as_json:
        typer.echo(json.dumps(asdict(taken)))
        return
    out.print(
        f"{taken.environment}: {taken.name} holds {megabytes(taken.bytes)}, taken in {taken.seconds:.1f} s"
        f" (services were paused for {taken.paused_seconds:.1f} s).\n{taken.path}",
        highlight=False,
        markup=False,
    )


@app.command("list", epilog="Example: ./dashtam snapshot list dev")
def show(environment: Environment, *, as_json: AsJson = False) -> None:
    """List an environment's snapshots, the oldest first. Doesn't read their data; a restore checks each byte of it."""
    kept = _store(environment)
    rows = [_row(kept, name) for name in kept.names()]
    if as_json:
        typer.echo(json.dumps(rows, indent=2))
    elif rows:
        out.print(_table(rows))
    else:
        err.print(f"{environment} has no snapshots. Take one: ./dashtam snapshot create {environment}", highlight=False)


@app.command("restore", epilog="Example: ./dashtam snapshot restore dev before-import")
def restore(  # noqa: PLR0913 - options, each given by name
    environment: Environment,
    name: Snapshot,
    *,
    yes: Yes = False,
    no_snapshot: NoSnapshot = False,
    no_install: NoInstall = False,
    as_json: AsJson = False,
) -> None:
    """Put a snapshot in the place of an environment's data: whole, or not at all. Ends with the environment up.

    Where there is data, it asks, and takes a snapshot of it first. Passwords and keys may have changed since: what
    comes back is made to open with those that the environment has now.
    """
    from cli.data.snapshots import before  # noqa: PLC0415 - only what puts one back needs it
    from cli.operations import restore_snapshot as restoring  # noqa: PLC0415

    made = _store(environment).read(name)
    here = session.prepare(install=not no_install)
    if not yes and before.has_data(here.client, here.clone, environment):
        question = f"Replace {environment}'s data with the snapshot {name} of {_moment(made)}?"
        questions.confirm(f"{question} {before.consequence(snapshot=not no_snapshot)}", as_json=as_json)
    done = restoring.restore(here, environment, name, snapshot=not no_snapshot)
    if as_json:
        typer.echo(json.dumps(asdict(done)))
        return
    out.print(
        f"{environment}: {name} is back, {megabytes(done.bytes)} in {done.seconds:.1f} s"
        f" (services were down for {done.down_seconds:.1f} s).",
        highlight=False,
        markup=False,
    )
    if done.lost:
        err.print(f"{done.lost} linked accounts can't be read any more and must be linked again.", highlight=False)


@app.command("delete", epilog="Example: ./dashtam snapshot delete dev before-import")
def delete(
    environment: Environment,
    name: Snapshot,
    *,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Delete a snapshot for good; asks first."""
    here = handle.require(environment)
    kept = store.of(here, environment)
    if not yes:
        questions.confirm(f"Delete {environment}'s snapshot {name}{_described(kept, name)} for good?", as_json=as_json)
    with environment_lock.held(here, environment):
        kept.delete(name)
    if as_json:
        typer.echo(json.dumps({"environment": environment, "name": name}))
        return
    err.print(f"{environment}: {name} is deleted.", highlight=False, markup=False)


def _store(environment: str) -> Store:
    return store.of(handle.require(environment), environment)


def _described(kept: Store, name: str) -> str:
    kept.require(name)
    try:
        made = kept.read(name)
    except UserError:
        return ", which is damaged,"
    return f" of {_moment(made)} ({megabytes(made.size)})"


def _moment(made: Manifest) -> str:
    return made.created.isoformat(timespec="seconds")


def _row(kept: Store, name: str) -> dict[str, Any]:
    row = {"name": name, "path": str(kept.path(name))}
    try:
        made = kept.read(name)
    except UserError as error:
        return {**row, "created": None, "bytes": None, "postgres": None, "damage": error.cause}
    return {**row, "created": _moment(made), "bytes": made.size, "postgres": made.postgres, "damage": None}


def _table(rows: list[dict[str, Any]]) -> Table:
    table = Table(box=None, pad_edge=False)
    for heading in ("snapshot", "taken", "size", "PostgreSQL"):
        table.add_column(heading, justify="right" if heading == "size" else "left")
    for row in rows:
        size = megabytes(row["bytes"]) if row["bytes"] is not None else ""
        table.add_row(row["name"], row["created"] or f"damaged: {row['damage']}", size, row["postgres"] or "")
    return table
