"""Arguments and options that several commands share, and how a shell completes them."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from cli.core.durations import seconds
from infra.naming import SERVICES


def complete_environment(incomplete: str) -> list[str]:
    """Return the environments that a word may become."""
    from cli.environments.configuration import configured_stacks  # noqa: PLC0415 - most commands are run, not completed

    return [stack for stack in configured_stacks() if stack.startswith(incomplete)]


def complete_environment_with_snapshots(incomplete: str) -> list[str]:
    """Return the environments that a word may become, removed ones that have snapshots too."""
    from cli.data.snapshots import store  # noqa: PLC0415
    from cli.environments import clone  # noqa: PLC0415

    here = clone.find()
    kept = [stack for stack in store.environments(here) if stack.startswith(incomplete)] if here else []
    return sorted({*complete_environment(incomplete), *kept})


def complete_snapshot(context: typer.Context, incomplete: str) -> list[str]:
    """Return the snapshots that a word may become."""
    from cli.data.snapshots import store  # noqa: PLC0415
    from cli.environments import clone  # noqa: PLC0415

    here = clone.find()
    names = store.of(here, context.params["environment"]).names() if here else ()
    return [name for name in names if name.startswith(incomplete)]


def complete_service(incomplete: str) -> list[str]:
    """Return the services that a word may become."""
    return [service for service in SERVICES if service.startswith(incomplete)]


def complete_environment_or_service(incomplete: str) -> list[str]:
    """Return the environments and services that a word may become."""
    return [*complete_environment(incomplete), *complete_service(incomplete)]


Environment = Annotated[
    str, typer.Argument(metavar="ENVIRONMENT", help="Which environment.", autocompletion=complete_environment)
]
EnvironmentWithSnapshots = Annotated[
    str,
    typer.Argument(
        metavar="ENVIRONMENT", help="Which environment.", autocompletion=complete_environment_with_snapshots
    ),
]
AnyEnvironmentWithSnapshots = Annotated[
    str | None,
    typer.Argument(
        metavar="[ENVIRONMENT]",
        help="Which environment; all of this clone's if absent.",
        autocompletion=complete_environment_with_snapshots,
    ),
]
Environments = Annotated[
    list[str],
    typer.Argument(
        metavar="ENVIRONMENT...",
        help="Which environments: dev, test, ci, or one of your own.",
        autocompletion=complete_environment,
    ),
]
AnyEnvironments = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[ENVIRONMENT]...",
        help="Which environments; all of this clone's if absent.",
        autocompletion=complete_environment,
    ),
]
EnvironmentsAndServices = Annotated[
    list[str],
    typer.Argument(
        metavar="ENVIRONMENT... [SERVICE]...",
        help="Which environments, then which of their services; all if absent.",
        autocompletion=complete_environment_or_service,
    ),
]
Service = Annotated[str, typer.Argument(metavar="SERVICE", help="Which service.", autocompletion=complete_service)]
Services = Annotated[
    list[str] | None,
    typer.Argument(metavar="[SERVICE]...", help="Which services; all if absent.", autocompletion=complete_service),
]
Snapshot = Annotated[str, typer.Argument(metavar="SNAPSHOT", help="The snapshot.", autocompletion=complete_snapshot)]


def timeout(text: str) -> float:
    """Return the seconds of a duration."""
    try:
        return seconds(text)
    except ValueError as error:
        raise typer.BadParameter(f"{error}.") from None


NoInstall = Annotated[
    bool, typer.Option("--no-install", help="Install nothing on this machine; what is missing is an error.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, errors too; never prompt.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Don't ask.")]
YesReplace = Annotated[bool, typer.Option("--yes", "-y", help="Replace an existing FILE without asking.")]
NoSnapshot = Annotated[
    bool, typer.Option("--no-snapshot", help="Take no snapshot of the data that is replaced: it is lost.")
]
Output = Annotated[str, typer.Option("--output", "-o", metavar="FILE", help="A file; - for standard output.")]
WaitTimeout = Annotated[
    float | None,
    typer.Option(
        parser=timeout,
        metavar="DURATION",
        help="Fail if they aren't healthy within this time, such as 90s, 5m or 1h; nothing is rolled back."
        " Without it, each service has dashtam:health.wait.",
    ),
]


def environments_and_services(words: list[str]) -> tuple[list[str], list[str]]:
    """Return the environments that a command names first, without repetition, and the services after them."""
    from cli.environments import clone, placements  # noqa: PLC0415 - as above
    from cli.environments.configuration import configured_stacks  # noqa: PLC0415

    here = clone.find()
    # The config of a named environment may have been cleaned away; its record has it.
    environments = {*configured_stacks(), *(placements.recorded(here) if here else ())} - {*SERVICES}
    first = next((place for place, word in enumerate(words) if place and word not in environments), len(words))
    return list(dict.fromkeys(words[:first])), words[first:]


def _without_separator(words: list[str] | None) -> list[str]:
    """Return what follows `--`, which may be left out."""
    return [] if words is None else words[words[:1] == ["--"] :]


PASSED_ON: dict[str, bool] = {"ignore_unknown_options": True, "allow_interspersed_args": False}
"""Of a command whose last words are for another program: what looks like an option there is not its own."""


def _words_for(program: str) -> Any:  # noqa: ANN401 - what Typer makes of an argument
    return typer.Argument(
        metavar="[-- ARGUMENT...]",
        help=f"Arguments for {program}.",
        callback=_without_separator,
        show_default=False,
    )


PsqlWords = Annotated[list[str] | None, _words_for("psql")]
RedisWords = Annotated[list[str] | None, _words_for("redis-cli")]
Command = Annotated[
    list[str], typer.Argument(metavar="-- COMMAND...", help="The command.", callback=_without_separator)
]
