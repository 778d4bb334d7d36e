"""`dashtam certs`."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from cli.commands.parameters import AsJson, Environment, NoInstall
from cli.core.errors import FINDINGS
from cli.environments import handle, states
from cli.operations import certificates, session
from cli.operations.certificates import Certificate
from cli.pulumi.stack_state import SOON_DAYS
from cli.trust_stores import authority
from cli.ui.console import announce, out
from cli.ui.json_result import print_json

app = typer.Typer(add_completion=False)


@app.command("certs", epilog="Examples: ./dashtam certs dev; ./dashtam certs dev --renew")
def certs(
    environment: Environment,
    *,
    renew: Annotated[
        bool, typer.Option("--renew", help="Replace the keys and certificates first, the CA's too.")
    ] = False,
    no_install: NoInstall = False,
    as_json: AsJson = False,
) -> None:
    """Show the certificates that an environment's services serve. Exits 2 if clients refuse one."""
    clone = handle.require(environment)
    if renew:
        here = session.prepare(install=not no_install)
        certificates.renew(here, environment)
        if authority.trusted(here.clone, environment):
            announce(f"This machine trusts the earlier CA: `./dashtam trust {environment}` replaces it.")
    found = certificates.certificates(states.read(clone, environment))
    if not found:
        raise handle.not_running(environment)
    now = datetime.now(UTC)
    if as_json:
        print_json({"environment": environment, "certificates": [_record(one, now) for one in found]})
    else:
        for one in found:
            out.print(_shown(one, now))
    raise typer.Exit(FINDINGS if any(one.trouble for one in found) else 0)


def _record(one: Certificate, now: datetime) -> dict[str, object]:
    dates = {"begins": one.begins.isoformat(), "ends": one.ends.isoformat(), "days_left": one.days_left(now)}
    return {**asdict(one), **dates}


def _shown(one: Certificate, now: datetime) -> Table:
    left = one.days_left(now)
    state = one.trouble or ("served, and verifies" if one.source == certificates.SERVED else "recorded")
    rows = Table.grid(padding=(0, 2))
    rows.add_row(Text(one.service, "bold"), Text(state, "bold red" if one.trouble else "green"))
    rows.add_row("  subject", one.subject)
    if one.names:
        rows.add_row("  names", ", ".join(one.names))
    rows.add_row("  issuer", one.issuer)
    rows.add_row("  serial", one.serial)
    rows.add_row("  SHA-256", one.fingerprint)
    rows.add_row("  valid", f"{one.begins:%Y-%m-%d %H:%M} to {one.ends:%Y-%m-%d %H:%M} UTC")
    rows.add_row("  left", Text(f"{left} days", "bold red" if left <= SOON_DAYS else ""))
    return rows
