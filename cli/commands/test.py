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
from cli.suites import Chosen

ENVIRONMENT = "test"
CI_ENVIRONMENT = "ci"


app = typer.Typer(add_completion=False)


@app.command(
    "test",
    epilog="Examples: ./dashtam test; ./dashtam test unit api -k settings; ./dashtam test ci --reports test-results",
    options_metavar="[OPTIONS] [SUITE]... [PYTEST ARGUMENTS]...",
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
    """Bring the test environment up if a suite needs it, and run tests.

    Suites: unit, infra, integration, api, smoke, e2e, verify, operator; all, with coverage, if none is named. `ci` runs
    the service's own among them, or those named after it, inside the ci environment, in a container on its internal
    network. Whatever follows goes to pytest.
    """
    chosen = suites.choose(context.args)
    raise typer.Exit((_inside if chosen.inside else _here)(chosen, reports, install=not no_install))


def _here(chosen: Chosen, reports: Path | None, *, install: bool) -> int:
    driven = not suites.need_browser(chosen.suites) or _has_browser(chosen, install=install)
    here = session.prepare(install=install, images=chosen.suites != ("unit",))
    if suites.need_environment(chosen.suites):
        lifecycle.up(here, ENVIRONMENT)
    err.print(f"Running tests: {', '.join(chosen.suites)}.", highlight=False)
    written = suites.reports(str(_folder(reports))) if reports else []
    command = suites.command(chosen.suites, [*chosen.extra, *written], browser=driven)
    return subprocess.run(command, cwd=here.clone.root, env=here.environ, check=False).returncode


def _has_browser(chosen: Chosen, *, install: bool) -> bool:
    """Make sure of a browser; where no machine of this kind has a use for one, all else is tested without."""
    if suites.ALL in chosen.suites and not browser.can_run():
        err.print("Without e2e, which needs Linux: `./dashtam test ci` runs it in a container.", highlight=False)
        return False
    browser.require_browser(install=install)
    return True


def _inside(chosen: Chosen, reports: Path | None, *, install: bool) -> int:
    here = session.prepare(install=install)
    (outputs,) = lifecycle.up(here, CI_ENVIRONMENT)
    err.print(f"Running tests inside {CI_ENVIRONMENT}: {', '.join(chosen.suites)}.", highlight=False)
    written = suites.reports(tests_container.REPORTS, "app") if reports else []
    naming = placements.naming(here.clone, CI_ENVIRONMENT)
    command = suites.inside_command(chosen.suites, [*chosen.extra, *written])
    return tests_container.run(here.client, outputs, naming, command, _folder(reports) if reports else None)


def _folder(reports: Path) -> Path:
    reports.mkdir(parents=True, exist_ok=True)
    return reports.resolve()
