"""What Pulumi's state has of the stack that is being updated, asked from within the program."""

from __future__ import annotations

import pulumi

from infra.earlier import Made, made

READ = "pulumi:pulumi:readStackResourceOutputs"
"""A function of the engine itself, which reads the state as it was before the update."""


def read(stack: str) -> list[Made]:
    """Return what the state has of a stack.

    Args:
        stack: Its name.
    """
    full = f"{pulumi.get_organization()}/{pulumi.get_project()}/{stack}"
    found = pulumi.runtime.invoke(READ, {"stackName": full}).value
    return [made(one["type"], one["outputs"]) for one in found["outputs"].values()]
