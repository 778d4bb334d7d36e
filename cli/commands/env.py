"""`dashtam env`."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from contextlib import suppress
from typing import Annotated

import typer

from cli.commands.parameters import AsJson, NoInstall, complete_environment
from cli.core.errors import UsageError, UserError
from cli.environments import handle, tool_environment
from cli.environments.allocation import Allocator
from cli.environments.configuration import configured_stacks, require_readable
from cli.operations import client_settings, session
from cli.operations.session import Session
from cli.ui.console import advise, announce
from cli.ui.json_result import print_json
from infra.naming import SERVICES
from infra.outputs import StackOutputs

ShowSecrets = Annotated[
    bool, typer.Option("--show-secrets", help="Include passwords; clients can't log in without them.")
]

app = typer.Typer(add_completion=False)


@app.command(
    "env",
    epilog='Examples: eval "$(./dashtam env)"; pulumi up --stack dev;'
    ' eval "$(./dashtam env dev --show-secrets)"; psql "$DATABASE_URL"',
)
def env(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="[ENVIRONMENT]", help="For clients of this environment.", autocompletion=complete_environment
        ),
    ] = None,
    *,
    show_secrets: ShowSecrets = False,
    no_install: NoInstall = False,
    as_json: AsJson = False,
) -> None:
    """Print shell exports for Pulumi, pytest or database clients.

    Without an environment it is for plain `pulumi` and `pytest`; with one, for clients of its services: DATABASE_URL,
    PGHOST, REDIS_URL, APP_URL and so on, and DASHTAM_CA_FILE to verify them with. Where the app was not chosen to run
    (`./dashtam up dev postgres redis`), also what it needs to run here, with its secrets in files that only you read.

    Missing tools are installed first; without an environment, missing base images are pulled or built too.
    """
    if name is None and show_secrets:
        raise UsageError("--show-secrets needs an environment.", remedy="./dashtam env dev --show-secrets")
    if name is not None:
        handle.require(name)
        require_readable(name)
    here = session.prepare(install=not no_install, needs="images" if name is None else "nothing")
    try:
        here.require_images()
    except UserError as error:  # `pulumi destroy` and `pulumi state` need none
        announce(error.message)
        advise(error.remedy)
    _print(_tools(here) if name is None else _clients(here, name, secrets=show_secrets), as_json)


def _tools(here: Session) -> dict[str, str | None]:
    root = here.clone.root
    if os.pathsep in str(root):
        raise UserError(
            f"No shell can be set up for {root}.",
            cause=f"Its name has a {os.pathsep}, which separates the folders of PATH.",
            remedy="Move the checkout to a folder without one; `./dashtam` itself works where it is.",
        )
    allocator = Allocator(here.clone, here.engine)
    for stack in configured_stacks(here.clone.root):
        with suppress(UserError):  # Pulumi reports a config that isn't valid
            allocator.give_way(stack)
    return tool_environment.changes(here.environ)


def _clients(here: Session, name: str, *, secrets: bool) -> dict[str, str]:
    outputs = here.pulumi.outputs(name)
    if outputs is None:
        raise handle.not_running(name)
    if hidden := unpublished(outputs):
        announce(f"In the network of {name} only, and so left out: {', '.join(hidden)}.")
    return client_settings.of(here.clone, outputs, secrets=secrets)


def unpublished(outputs: StackOutputs) -> list[str]:
    """Return the services of an environment that this machine doesn't reach."""
    ports, containers = outputs.ports, outputs.containers
    return [name for name in SERVICES if getattr(containers, name) and getattr(ports, name) is None]


def _print(variables: Mapping[str, str | None], as_json: bool) -> None:
    if as_json:
        print_json(dict(sorted(variables.items())))
        return
    for name, value in sorted(variables.items()):
        typer.echo(f"unset {name}" if value is None else f"export {name}={shlex.quote(value)}")
