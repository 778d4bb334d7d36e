"""Programs of the service that commands run in its container: sample data, and the rotation of keys."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from cli.engine.streams import CommandError, explain_failure
from cli.environments.handle import Target

SAMPLES = ("python", "-m", "app.run.seed")
ROTATE = ("python", "-m", "app.run.rotate")


def add_samples(target: Target) -> dict[str, Any]:
    """Add the sample accounts that are missing; return how many were added."""
    with explain_failure(
        f"{target.environment} got no samples; nothing was changed.",
        f"Check `./dashtam status {target.environment}`, then run the same command again.",
    ):
        return _run(target, SAMPLES)


def rotate_keys(target: Target) -> dict[str, Any]:
    """Encrypt every token under a new key; return the key and the numbers of connections and retired keys."""
    with explain_failure(
        f"The keys of {target.environment} were not rotated.",
        f"Remove the cause, then run `./dashtam keys rotate {target.environment}` again; no token was lost.",
    ):
        return _run(target, ROTATE)


def _run(target: Target, command: Sequence[str]) -> dict[str, Any]:
    status, output = target.view.execute(target.running("app").id, command)
    if status != 0:
        raise CommandError(status, output.strip())
    document: dict[str, Any] = json.loads(output.splitlines()[-1])
    return document
