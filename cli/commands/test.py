"""`dashtam test`."""

from __future__ import annotations

import subprocess

import typer

from cli import lifecycle, session, suites, tests_container
from cli.commands.options import NoInstall
from cli.console import err

ENVIRONMENT = "test"
CI_ENVIRONMENT = "ci"


def register(app: typer.Typer) -> None:
    """Add the command."""
    settings = {"allow_extra_args": True, "ignore_unknown_options": True}
    example = "Examples: ./dashtam test; ./dashtam test unit -k settings; ./dashtam test ci"
    app.command("test", context_settings=settings, epilog=example)(run)


def run(context: typer.Context, *, no_install: NoInstall = False) -> None:
    """Bring the test environment up if the suite needs it, and run tests.

    Suites: unit, infra, integration, api, smoke, verify; all of them, with coverage, if none is named. `ci` runs the
    suites inside the ci environment, in a container on its internal network. Whatever follows goes to pytest.
    """
    suite, extra = suites.split(context.args)
    if suite == suites.CI:
        raise typer.Exit(_inside(extra, install=not no_install))
    here = session.prepare(install=not no_install, images=suite != "unit")
    if suites.needs_environment(suite):
        lifecycle.up(here, ENVIRONMENT)
    err.print(f"Running {suite} tests.", highlight=False)
    done = subprocess.run(suites.command(suite, extra), cwd=here.clone.root, env=here.environ, check=False)
    raise typer.Exit(done.returncode)


def _inside(extra: list[str], *, install: bool) -> int:
    here = session.prepare(install=install)
    outputs = lifecycle.up(here, CI_ENVIRONMENT)
    err.print(f"Running tests inside {CI_ENVIRONMENT}.", highlight=False)
    return tests_container.run(here.client, outputs, here.clone.id, suites.inside_command(extra))
