"""Programs of the service that commands run in its container, such as the rotation of keys."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from cli.engine.streams import CommandError, explain_failure
from cli.environments.handle import EnvironmentHandle

ROTATE = ("python", "-m", "app.run.rotate")


def rotate_keys(environment: EnvironmentHandle) -> dict[str, Any]:
    """Encrypt every token under a new key; return the key and the numbers of connections and retired keys."""
    with explain_failure(
        f"The keys of {environment.name} were not rotated.",
        f"Remove the cause, then run `./dashtam keys rotate {environment.name}` again; no token was lost.",
        environment.name,
    ):
        return run(environment, ROTATE)


def run(environment: EnvironmentHandle, command: Sequence[str]) -> dict[str, Any]:
    """Run a program of the service in the app's container; return the document that it prints last."""
    status, output = environment.view.execute(environment.running("app").id, command)
    if status != 0:
        raise CommandError(status, output.strip())
    document: dict[str, Any] = json.loads(output.splitlines()[-1])
    return document
