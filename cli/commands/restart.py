"""`dashtam restart`."""

from __future__ import annotations

import typer

from cli.commands.parameters import AsJson, EnvironmentsAndServices, environments_and_services
from cli.environments import handle
from cli.operations.restart import restart as restart_services
from cli.ui.console import announce
from cli.ui.json_result import print_json

app = typer.Typer(add_completion=False)


@app.command("restart", epilog="Examples: ./dashtam restart dev; ./dashtam restart dev app; ./dashtam restart dev test")
def restart(words: EnvironmentsAndServices, *, as_json: AsJson = False) -> None:
    """Restart services in the order of their dependencies, and wait until they are healthy."""
    environments, services = environments_and_services(words)
    found = [handle.of(environment) for environment in environments]
    for one in found:
        one.chosen(services)
    restarted = [{"environment": one.name, "services": restart_services(one, services)} for one in found]
    if as_json:
        print_json({"environments": restarted})
        return
    for each in restarted:
        announce(f"{each['environment']}: {', '.join(each['services'])} restarted.")
