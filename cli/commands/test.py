"""`dashtam test`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli.commands.parameters import NoInstall
from cli.environments import placements
from cli.environments.configuration import configured_stacks
from cli.machine import browser
from cli.operations import session
from cli.operations.test import container, pytest_runs, suites
from cli.operations.test.suites import BROWSER, Chosen
from cli.operations.up import outputs
from cli.ui.console import announce

CI_ENVIRONMENT = "ci"

app = typer.Typer(add_completion=False)


@app.command(
    "test",
    epilog="Examples: ./dashtam test; ./dashtam test unit api -k settings; ./dashtam test system -n 3;"
    " ./dashtam test ci --reports test-results",
    options_metavar="[OPTIONS] [SUITE]... [ENVIRONMENT] [PYTEST ARGUMENTS]...",
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
)
def run(
    context: typer.Context,
    *,
    reports: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Write JUnit XML into FOLDER, and coverage XML when a whole group of suites runs.",
            file_okay=False,
        ),
    ] = None,
    no_install: NoInstall = False,
) -> None:
    """Run tests; bring the test environment up if they use it.

    Without a suite: `service`, which is all that a change of the service or the program needs: unit, processes,
    infra, integration, api, smoke, e2e.

    `system` tries every command, promise and installation for real. `all` is service, then system. `campaign` has the
    tests that take minutes each. `swarm` makes a Swarm of three engines on this machine, which needs Linux and root.
    `ci` runs the service's suites, or those named after it, in a container inside the ci environment.

    `./dashtam test smoke api dev` runs these suites against dev as it is; the environment may be on a Swarm. Tests of
    services that it lacks or doesn't publish are skipped.

    All other arguments are passed to pytest; a path selects its suite.
    """
    chosen = suites.choose(context.args, configured_stacks())
    raise typer.Exit((_inside if chosen.inside else _here)(chosen, reports, install=not no_install))


def _here(chosen: Chosen, reports: Path | None, *, install: bool) -> int:
    driven = not any(run.drives_browser for run in suites.runs(chosen)) or _has_browser(chosen, install=install)
    needs_docker = not {*chosen.suites} <= {*suites.WITHOUT_DOCKER}
    here = session.prepare(install=install, needs="images" if needs_docker else "nothing")
    here.require_images()
    return pytest_runs.run(here, chosen, browser=driven, reports=_folder(reports))


def _has_browser(chosen: Chosen, *, install: bool) -> bool:
    """Make sure of a browser; on machines that can't drive one, several suites run without that one."""
    if len(chosen.suites) > 1 and not chosen.paths and not browser.can_run():
        announce(f"Without {BROWSER}, which needs Linux: `./dashtam test ci` runs it in a container.")
        return False
    browser.require_browser(install=install)
    return True


def _inside(chosen: Chosen, reports: Path | None, *, install: bool) -> int:
    here = session.prepare(install=install)
    pytest_runs.bring_up(here, CI_ENVIRONMENT)
    announce(f"Running tests inside {CI_ENVIRONMENT}: {', '.join(chosen.suites)}.")
    naming = placements.naming(here.clone, CI_ENVIRONMENT)
    command = suites.inside_command(chosen, container.REPORTS if reports else "")
    return container.run(here.client, outputs(here, CI_ENVIRONMENT), naming, command, _folder(reports))


def _folder(reports: Path | None) -> Path | None:
    if reports:
        reports.mkdir(parents=True, exist_ok=True)
    return reports.resolve() if reports else None
