"""Commands in a service's container on this terminal, run by Docker's own client."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from typing import NoReturn

from cli.core.errors import UserError
from cli.engine.connect import find_endpoint
from cli.engine.container import ContainerView
from cli.engine.inventory import EngineView

DETACH_KEYS = "ctrl-^,ctrl-^"
"""The default begins with Ctrl-P, which then doesn't recall the line before."""

TERMINAL_VARIABLES = ("TERM", "COLORTERM", "NO_COLOR")


def become(
    view: EngineView, container: ContainerView, command: Sequence[str], environ: Mapping[str, str] | None = None
) -> NoReturn:
    """Replace this process by a command in a container, with a terminal if both ends of this process have one.

    Docker's client sets the terminal up and back, follows its size, keeps standard output and error apart, and passes
    the exit status on; the SDK does none of that.
    """
    client = shutil.which("docker")
    if client is None:
        raise UserError(
            "The docker command is not on your PATH.",
            cause="It runs the command in the container on your terminal.",
            remedy="Install Docker's client, on Debian and Ubuntu: `sudo apt-get install --yes docker-cli`,"
            " or `docker.io` where there is no such package.",
        )
    node, found = view.node_of(container.id)
    _ = node.client  # which must be reached
    variables = node.environ() or find_endpoint(remember=False).environment()
    sys.stdout.flush()
    sys.stderr.flush()
    words = [client, "exec", *_options(environ or {}), found, *command]
    os.execve(client, words, {**os.environ, **variables})  # noqa: S606 - without a shell in between


def _options(environ: Mapping[str, str]) -> list[str]:
    terminal = sys.stdin.isatty() and sys.stdout.isatty()
    passed = [name for name in TERMINAL_VARIABLES if terminal and name in os.environ]
    variables = [*passed, *(f"{name}={value}" for name, value in environ.items())]
    return [
        "--interactive",
        *(["--tty", "--detach-keys", DETACH_KEYS] if terminal else []),
        *(word for variable in variables for word in ("--env", variable)),
    ]
