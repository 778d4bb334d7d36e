"""`dashtam snapshot`: an environment's data as it was at one moment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Annotated

import typer
from rich.filesize import decimal
from rich.table import Table

from cli.commands.parameters import (
    AnyEnvironmentWithSnapshots,
    AsJson,
    Environment,
    EnvironmentWithSnapshots,
    NoInstall,
    NoSnapshot,
    Snapshot,
    Yes,
)
from cli.core.errors import UsageError, UserError
from cli.data.snapshots import store
from cli.data.snapshots.store import Summary
from cli.environments import clone, handle
from cli.environments.clone import Clone
from cli.operations import session
from cli.ui import questions
from cli.ui.console import announce, out
from cli.ui.json_result import print_json

app = typer.Typer(
    help="Snapshots of an environment's data: Postgres and Redis together, checksummed, put back whole.",
    epilog="Examples: ./dashtam snapshot create dev before-import; ./dashtam snapshot restore dev before-import",
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
    from cli.operations import take_snapshot  # noqa: PLC0415 - slow to import

    taken = take_snapshot.take(handle.of(environment), name)
    if as_json:
        print_json(asdict(taken))
        return
    announce(
        f"{taken.environment}: {taken.name} holds {decimal(taken.bytes)}, taken in {taken.seconds:.1f} s"
        f" (services were paused for {taken.paused_seconds:.1f} s).\n{taken.path}",
    )


@app.command("list", epilog="Examples: ./dashtam snapshot list; ./dashtam snapshot list dev")
def show(environment: AnyEnvironmentWithSnapshots = None, *, as_json: AsJson = False) -> None:
    """List the snapshots of an environment, or of all, the oldest first.

    Doesn't read their data; a restore checks each byte of it.
    """
    if environment is None:
        _show_all(as_json=as_json)
        return
    found = store.of(_require(environment), environment).summaries()
    if as_json:
        print_json({"environment": environment, "snapshots": [asdict(one) for one in found]})
    elif found:
        out.print(_table({environment: found}))
    else:
        announce(f"{environment} has no snapshots. Take one: ./dashtam snapshot create {environment}")


def _show_all(*, as_json: bool) -> None:
    here = clone.current()
    found = {one: store.of(here, one).summaries() for one in store.environments(here)}
    if as_json:
        environments = [
            {"environment": one, "snapshots": [asdict(each) for each in kept]} for one, kept in found.items()
        ]
        print_json({"environments": environments})
    elif found:
        out.print(_table(found, environments=True))
    else:
        announce("This clone has no snapshots. Take one: ./dashtam snapshot create dev")


@app.command("restore", epilog="Example: ./dashtam snapshot restore dev before-import")
def restore(  # noqa: PLR0913 - options, each given by name
    environment: EnvironmentWithSnapshots,
    name: Snapshot,
    *,
    yes: Yes = False,
    no_snapshot: NoSnapshot = False,
    no_install: NoInstall = False,
    as_json: AsJson = False,
) -> None:
    """Replace an environment's data with a snapshot: completely, or not at all. Ends with the environment up.

    Where there is data, it asks, and takes a snapshot of it first. Passwords and keys may have changed since: the
    restored data works with the present ones.
    """
    from cli.operations import restore_snapshot, snapshot_before_loss  # noqa: PLC0415 - slow to import

    made = store.of(_require(environment), environment).read(name)
    _require_config(environment, name)
    here = session.prepare(install=not no_install)
    if not yes and snapshot_before_loss.has_data(here.environment(environment)):
        question = (
            f"Replace {environment}'s data with the snapshot {name} of {made.created.isoformat(timespec='seconds')}?"
        )
        consequence = snapshot_before_loss.consequence(snapshot=not no_snapshot)
        questions.confirm(f"{question} {consequence}", as_json=as_json)
    done = restore_snapshot.restore(here, environment, name, snapshot=not no_snapshot)
    if as_json:
        print_json(asdict(done))
        return
    announce(
        f"{environment}: {name} is restored, {decimal(done.bytes)} in {done.seconds:.1f} s"
        f" (services were down for {done.down_seconds:.1f} s).",
    )
    if done.lost:
        announce(f"{done.lost} linked accounts can't be read any more and must be linked again.")


@app.command("delete", epilog="Example: ./dashtam snapshot delete dev before-import")
def delete(
    environment: EnvironmentWithSnapshots,
    name: Snapshot,
    *,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Delete a snapshot for good; asks first."""
    here = _require(environment)
    snapshots = store.of(here, environment)
    snapshots.require(name)
    if not yes:
        description = _description(snapshots.summary(name))
        questions.confirm(f"Delete {environment}'s snapshot {name}{description} for good?", as_json=as_json)
    store.delete(here, environment, name)
    if as_json:
        print_json({"environment": environment, "removed": [name]})
        return
    announce(f"{environment}: {name} is deleted.")


def _require(environment: str) -> Clone:
    """Make sure that there is an environment of a name, or that there are snapshots of a removed one."""
    here = clone.current()
    return here if environment in store.environments(here) else handle.require(environment)


def _require_config(environment: str, name: str) -> None:
    """Refuse to restore into a removed environment, which has no config: its snapshot doesn't hold one."""
    try:
        handle.require(environment)
    except UsageError:
        raise UserError(
            f"{environment} was removed with its config, and its snapshot {name} holds only data.",
            remedy="Make it again from the config of another environment, such as dev:"
            f" `./dashtam up dev --name {environment}`; or restore Pulumi.{environment}.yaml. Then"
            f" `./dashtam snapshot restore {environment} {name}`.",
        ) from None


def _description(one: Summary) -> str:
    return f" of {one.created_at} ({decimal(one.bytes)})" if one.bytes is not None else ", which is damaged,"


def _table(found: Mapping[str, Sequence[Summary]], *, environments: bool = False) -> Table:
    table = Table(box=None, pad_edge=False)
    for heading in (*(["environment"] if environments else []), "snapshot", "taken", "size", "PostgreSQL"):
        table.add_column(heading, justify="right" if heading == "size" else "left")
    for environment, snapshots in found.items():
        for one in snapshots:
            size = decimal(one.bytes) if one.bytes is not None else ""
            cells = (one.name, one.created_at or f"damaged: {one.damage}", size, one.postgres or "")
            table.add_row(*([environment] if environments else []), *cells)
    return table
