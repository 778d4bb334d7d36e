"""`dashtam status`."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import typer

from cli.commands.parameters import AnyEnvironments, AsJson
from cli.core.errors import UsageError
from cli.engine.connect import connect
from cli.environments import clone, placements, targets
from cli.environments.configuration import announce_skipped, config_file, require_configured
from cli.images import source
from cli.operations.status.collect import Overview, gather
from cli.operations.status.document import document
from cli.operations.status.sizes import Sizes
from cli.operations.status.tables import shown
from cli.ui.console import announce, out
from cli.ui.json_result import print_json

app = typer.Typer(add_completion=False)


@app.command("status", epilog="Examples: ./dashtam status; ./dashtam status dev --watch; ./dashtam status --all --size")
def status(
    environments: AnyEnvironments = None,
    *,
    everyone: Annotated[
        bool, typer.Option("--all", help="Include environments that other clones have in Docker.")
    ] = False,
    measured: Annotated[
        bool, typer.Option("--size", help="Measure the data, which is slow if Docker has much.")
    ] = False,
    watching: Annotated[
        bool, typer.Option("--watch", help="Refresh until Ctrl-C; without a terminal, print one line per change.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show services, health, URLs, ports, certificates, data and drift of environments. Changes nothing."""
    if environments and everyone:
        raise UsageError("ENVIRONMENT and --all exclude each other.", remedy="Leave out one of them.")
    if watching and as_json:
        raise UsageError("--watch and --json exclude each other.", remedy="Leave out one of them.")
    here = clone.find()
    for environment in environments or ():
        # A link that is a named one's config can have been cleaned away.
        if config_file(environment).exists() or here is None or environment not in placements.recorded(here):
            require_configured(environment)
    announce_skipped()
    client = connect()
    view = targets.view(client)
    # Without a terminal, only changes of state are printed.
    sizes = Sizes(view) if measured and not (watching and not out.is_terminal) else None

    def look() -> list[Overview]:
        return gather(view, here, environments or None, everyone=everyone, sizes=sizes)

    render = partial(shown, owners=everyone, named=bool(environments))
    if watching:
        from cli.operations.status.watch import watch  # noqa: PLC0415 - most look once

        watch(look, render)
        return
    decision = source.known(client)
    found = look()
    if as_json:
        known = {"clone": here.id if here else None, "image_source": decision.source.value if decision else None}
        print_json({**known, **document(found)})
        return
    out.print(render(found))
    for other in clone.deleted({one.owner for one in found} - {here.id if here else ""}):
        announce(clone.how_to_remove(other))
    if decision:
        announce(f"Images come from: {decision.source.value} ({decision.reason}).")
