"""Commands inside a service's container, with the terminal's input and output handed to them."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from typing import NoReturn

from cli.core.errors import UserError
from cli.engine.container import ContainerView
from cli.engine.remembered import find_remembered_engine

DETACH_KEYS = "ctrl-^,ctrl-^"
"""By default they begin with Ctrl-P, which then doesn't recall what was typed before."""

TERMINAL_VARIABLES = ("TERM", "COLORTERM", "NO_COLOR")


def become(container: ContainerView, command: Sequence[str], environ: Mapping[str, str] | None = None) -> NoReturn:
    """Replace this process by a command in a container, on a terminal where both ends are one.

    Docker's client does this, and not the SDK: it sets the terminal up and back, follows its size, keeps standard
    output and error apart, and hands on the exit status.
    """
    client = shutil.which("docker")
    if client is None:
        raise UserError(
            "The docker command is not on your PATH.",
            cause="It is what runs a command in a container on your terminal.",
            remedy="Install Docker's client, on Debian and Ubuntu: `sudo apt-get install --yes docker-cli`,"
            " or `docker.io` where there is no such package.",
        )
    engine = find_remembered_engine(remember=False)
    sys.stdout.flush()
    sys.stderr.flush()
    words = [client, "exec", *_options(environ or {}), container.id, *command]
    os.execve(client, words, {**os.environ, **engine.endpoint.environment()})  # noqa: S606 - a shell would be one more thing between


def _options(environ: Mapping[str, str]) -> list[str]:
    terminal = sys.stdin.isatty() and sys.stdout.isatty()
    passed = [name for name in TERMINAL_VARIABLES if terminal and name in os.environ]
    variables = [*passed, *(f"{name}={value}" for name, value in environ.items())]
    return [
        "--interactive",
        *(["--tty", "--detach-keys", DETACH_KEYS] if terminal else []),
        *(word for variable in variables for word in ("--env", variable)),
    ]
