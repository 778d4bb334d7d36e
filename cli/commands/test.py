"""`dashtam test`."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Annotated

import typer

from cli import lifecycle, placements, session, suites, tests_container
from cli.commands.options import NoInstall
from cli.console import err
from cli.machine import browser

ENVIRONMENT = "test"
CI_ENVIRONMENT = "ci"


app = typer.Typer(add_completion=False)


@app.command(
    "test",
    epilog="Examples: ./dashtam test; ./dashtam test unit -k settings; ./dashtam test ci --reports test-results",
    options_metavar="[OPTIONS] [SUITE] [PYTEST ARGUMENTS]...",
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
)
def run(
    context: typer.Context,
    *,
    reports: Annotated[
        Path | None, typer.Option(help="Also write junit.xml and coverage.xml into this folder.", file_okay=False)
    ] = None,
    no_install: NoInstall = False,
) -> None:
    """Bring the test environment up if the suite needs it, and run tests.

    Suites: unit, infra, integration, api, smoke, e2e, verify, operator; all, with coverage, if none is named. `ci` runs
    the suites inside the ci environment, in a container on its internal network. Whatever follows goes to pytest.
    """
    suite, extra = suites.split(context.args)
    if suite == suites.CI:
        raise typer.Exit(_inside(extra, reports, install=not no_install))
    driven = not suites.needs_browser(suite, extra) or _has_browser(suite, install=not no_install)
    here = session.prepare(install=not no_install, images=suite != "unit")
    if suites.needs_environment(suite):
        lifecycle.up(here, ENVIRONMENT)
    err.print(f"Running {suite} tests.", highlight=False)
    written = suites.reports(str(_folder(reports))) if reports else []
    command = suites.command(suite, [*extra, *written], browser=driven)
    done = subprocess.run(command, cwd=here.clone.root, env=here.environ, check=False)
    raise typer.Exit(done.returncode)


def _has_browser(suite: str, *, install: bool) -> bool:
    """Make sure of a browser; where no machine of this kind has a use for one, all else is tested without."""
    if suite == suites.ALL and not browser.can_run():
        err.print("Without e2e, which needs Linux: `./dashtam test ci` runs it in a container.", highlight=False)
        return False
    browser.require_browser(install=install)
    return True


def _inside(extra: list[str], reports: Path | None, *, install: bool) -> int:
    here = session.prepare(install=install)
    (outputs,) = lifecycle.up(here, CI_ENVIRONMENT)
    err.print(f"Running tests inside {CI_ENVIRONMENT}.", highlight=False)
    written = suites.reports(tests_container.REPORTS, "app") if reports else []
    naming = placements.naming(here.clone, CI_ENVIRONMENT)
    command = suites.inside_command([*extra, *written])
    return tests_container.run(here.client, outputs, naming, command, _folder(reports) if reports else None)


def _folder(reports: Path) -> Path:
    reports.mkdir(parents=True, exist_ok=True)
    return reports.resolve()
