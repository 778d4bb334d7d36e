"""`dashtam untrust`."""

from __future__ import annotations

import typer

from cli.commands.parameters import AsJson, Environment, NoInstall, Yes
from cli.commands.trust import WhichStores
from cli.environments import clone, handle
from cli.trust_stores import authority, trusting
from cli.trust_stores.trusting import Stores
from cli.ui import questions
from cli.ui.console import announce
from cli.ui.json_result import print_json

app = typer.Typer(add_completion=False)


@app.command("untrust", epilog="Example: ./dashtam untrust dev")
def untrust(
    environment: Environment,
    *,
    store: WhichStores = Stores.ALL,
    yes: Yes = False,
    no_install: NoInstall = False,
    as_json: AsJson = False,
) -> None:
    """Remove what `./dashtam trust` added to the trust stores for an environment, nothing else. Asks first."""
    here = clone.current()
    known = authority.trusted(here, environment)
    if not known:
        handle.require(environment)
        announce(f"{environment} is not trusted by this machine.")
    stores = trusting.stores(store, yes=yes, install=not no_install, as_json=as_json) if known else []
    held = [(ca, [one for one in stores if trusting.may_hold(here, ca, one)]) for ca in known]
    for ca, holders in held:
        for one in holders:
            announce(f"{ca.name} will be removed from {one.place}{', as root' if one.needs_root else ''}.")
    if not yes and any(holders for _, holders in held):
        questions.confirm(f"Stop trusting {environment}?", as_json=as_json)
    left = [(ca, one) for ca, holders in held for one in trusting.remove(here, ca, holders)]
    for ca, one in left:
        announce(f"{ca.name} may still be in {one.place}.")
    if as_json:
        removed = trusting.documents((ca, one) for ca, holders in held for one in holders)
        print_json({"environment": environment, "removed": removed, "left": trusting.documents(left)})
