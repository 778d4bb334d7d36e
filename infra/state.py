"""What Pulumi's state has of the stack that is being updated, asked from within the program."""

from __future__ import annotations

import time
from typing import Any

import pulumi

from infra import earlier

READ = "pulumi:pulumi:readStackResourceOutputs"
"""A function of the engine itself, which reads the state as it was before the update."""

BROKEN_OFF = "failed to load checkpoint"
"""What it says while the engine writes that state: a file backend writes the attributes beside it in place."""

TRIES = 20
PAUSE = 0.1
"""Seconds between two tries."""


def read(stack: str) -> earlier.State:
    """Return what the state has of a stack.

    Args:
        stack: Its name.

    Raises:
        Exception: The state can't be read, in the engine's words.
    """
    full = f"{pulumi.get_organization()}/{pulumi.get_project()}/{stack}"
    for _ in range(TRIES - 1):
        try:
            return _read(full)
        except Exception as error:  # the SDK raises no other
            if BROKEN_OFF not in str(error):
                raise
            time.sleep(PAUSE)
    return _read(full)


def _read(full: str) -> earlier.State:
    found: dict[str, Any] = pulumi.runtime.invoke(READ, {"stackName": full}).value
    resources = found["outputs"].items()
    return earlier.state((one["type"], urn.rsplit("::", 1)[-1], one["outputs"]) for urn, one in resources)
