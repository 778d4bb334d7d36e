"""`dashtam update`."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from cli.commands.options import AsJson
from cli.console import err, out
from cli.errors import UserError
from cli.paths import ROOT
from cli.pins import images, npm, python, shown, writing
from cli.pins.proposal import NoAnswerError, Proposal

SOURCES = {images.SOURCE: images.propose, python.SOURCE: python.propose, npm.SOURCE: npm.propose}

app = typer.Typer(add_completion=False)


@app.command("update", epilog="Examples: ./dashtam update; ./dashtam update --apply")
def update(
    *,
    apply: Annotated[bool, typer.Option("--apply", help="Write what is shown, after asking.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Don't ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Look for newer base images and packages, and show as a diff what would be pinned. Changes nothing by itself.

    Images stay within their major version, Python's within its minor one; Python packages within what pyproject.toml
    allows, npm's within their major version. Pulumi and its plugins are pinned with the toolchain, and are left.
    """
    if as_json and apply and not yes:
        raise UserError("--json shows no diff to agree to.", remedy="Add --yes, or leave --json out.", exit_status=2)
    proposals = [_ask(source) for source in SOURCES]
    edits = [edit for one in proposals for edit in one.edits]
    if not as_json:
        _show(proposals)
    applied = bool(edits) and apply and (yes or typer.confirm("Write this?", err=True))
    if applied:
        writing.write(ROOT, edits)
        err.print("Written. See whether all is well: `./dashtam test`.", highlight=False)
    elif edits:
        err.print("Nothing is written" + ("." if apply else " without --apply."), highlight=False)
    if as_json:
        typer.echo(json.dumps(shown.document(proposals, applied=applied), indent=2))
    if all(one.failure for one in proposals):
        raise typer.Exit(1)


def _ask(source: str) -> Proposal:
    err.print(f"Asking for newer {source}.", highlight=False)
    try:
        return SOURCES[source]()
    except NoAnswerError as error:
        return Proposal(source, failure=str(error))


def _show(proposals: list[Proposal]) -> None:
    for one in proposals:
        for edit in one.edits:
            for line in shown.diff(edit):
                out.print(line)
    for one in proposals:
        said = f"no answer: {one.failure}" if one.failure else f"{len(one.changes)} newer" if one.changes else "newest"
        err.print(f"{one.source}: {said}", markup=False, highlight=False)
