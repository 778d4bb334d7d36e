"""Options that several commands share."""

from __future__ import annotations

from typing import Annotated

import typer

NoInstall = Annotated[
    bool, typer.Option("--no-install", help="Install nothing on this machine; what is missing is an error.")
]
AsJson = Annotated[bool, typer.Option("--json", help="For scripts.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Don't ask.")]
NoSnapshot = Annotated[
    bool, typer.Option("--no-snapshot", help="Take no snapshot of the data that is replaced: it is lost.")
]
