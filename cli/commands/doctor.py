"""`dashtam doctor`."""

from __future__ import annotations

from dataclasses import asdict

import typer
from rich.text import Text

from cli.commands.parameters import AsJson
from cli.core.errors import FINDINGS
from cli.machine.findings import Finding
from cli.operations import checks
from cli.ui.console import out
from cli.ui.json_result import print_json

app = typer.Typer(add_completion=False)


@app.command("doctor", epilog="Example: ./dashtam doctor")
def doctor(*, as_json: AsJson = False) -> None:
    """Check this machine and its environments, and print a remedy for each problem. Exits 2 if there are any."""
    found = checks.look()
    if as_json:
        print_json({"findings": [asdict(one) | ({"cause": "", "remedy": ""} if one.ok else {}) for one in found]})
    else:
        for finding in found:
            _show(finding)
    raise typer.Exit(0 if all(finding.ok for finding in found) else FINDINGS)


def _show(finding: Finding) -> None:
    mark = ("ok   ", "green") if finding.ok else ("bad  ", "bold red")
    out.print(Text.assemble(mark, f"{finding.check}: {finding.detail}"))
    if not finding.ok:
        out.print(f"      {finding.cause}\n      What to do: {finding.remedy}")
