"""Reads the states of a clone's environments; where they are files, without starting Pulumi."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from cli.environments import tool_environment
from cli.environments.clone import Clone
from cli.pulumi import backend, stack_state
from cli.pulumi.stack_state import StackState


def read(clone: Clone, stack: str, environ: Mapping[str, str] = os.environ) -> StackState:
    """Return an environment's state, without resources where it is not up; `environ` may name another backend."""
    found = deployment(clone, stack, environ)
    return stack_state.of(_exported(clone, stack, environ) if found is None else found)


def deployment(clone: Clone, stack: str, environ: Mapping[str, str]) -> dict[str, Any] | None:
    """Return the deployment in an environment's state file, as `backend.deployment` does."""
    return backend.deployment(tool_environment.of(clone, environ), clone.root, stack)


def _exported(clone: Clone, stack: str, environ: Mapping[str, str]) -> dict[str, Any]:
    # What finds Pulumi takes long to import, and most clones don't need it.
    from cli.machine import setup  # noqa: PLC0415
    from cli.pulumi.process import Pulumi  # noqa: PLC0415

    variables = setup.prepare(install=False, need_engine=False)
    pulumi = Pulumi(tool_environment.of(clone, {**environ, **variables}), clone.root)
    return pulumi.deployment(stack) if stack in pulumi.stacks() else {}
