"""Proves that `up` would change nothing: it would read the same as the last one, and finds what that one left.

The proof is a digest. Where anything is unknown there is none, and Pulumi decides.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from cli.core.atomic_files import write_whole
from cli.core.hashing import text_sha256
from cli.environments import placements, states
from cli.environments.configuration import configuration
from cli.operations.drift import Snapshot, differences
from cli.operations.session import Session
from cli.pulumi import stack_state
from infra.catalogue import source_digest
from infra.services.providers import read_credentials

INPUTS = (
    ".build/ca.crt",
    ".dockerignore",
    "Dockerfile",
    "Pulumi.yaml",
    "app",
    "cli",
    "dashtam",
    "images",
    "infra",
    "pyproject.toml",
    "sandbox/.npmrc",
    "sandbox/Dockerfile",
    "sandbox/package-lock.json",
    "sandbox/package.json",
    "sandbox/src",
    "toolchain",
    "uv.lock",
)
"""What `up` reads in the project's folder, beside the environment's config."""

VARIABLES = ("DASHTAM_", "DOCKER_", "PULUMI_")
LONGEST_SECONDS = 12 * 3600
"""How long a proof holds: shorter than the time before their end in which `up` renews certificates."""


def up_unless_unchanged(session: Session, stack: str, up: Callable[[], object]) -> None:
    """Bring an environment up, unless it is proven that this would change nothing."""
    file = session.clone.home / "unchanged" / f"{stack}.json"
    before = inputs(session, stack)
    if _is_proven(file, [before, made(session, stack)]):
        return
    up()
    proof = [inputs(session, stack), made(session, stack)]
    # Where something was edited meanwhile, nobody knows whether `up` has read it.
    if proof[0] == before and all(proof):
        write_whole(file, json.dumps({"proof": proof, "at": time.time()}))


def inputs(session: Session, stack: str) -> str:
    """Return a digest of what `up` reads; empty where the environment has an image of the tests themselves."""
    root = session.clone.root
    config = configuration(root, stack)
    if config.tests.image:
        return ""
    credentials = read_credentials(stack, config.providers)
    return _digest(
        str(root),
        source_digest(*(root / name for name in (*INPUTS, f"Pulumi.{stack}.yaml"))),
        placements.of(session.clone, stack).model_dump_json(),
        *(f"{name}={value}" for name, value in sorted(session.environ.items()) if _is_read(name)),
        *(f"{name} {one.client_id} {one.client_secret}" for name, one in sorted(credentials.items())),
    )


def made(session: Session, stack: str) -> str:
    """Return a digest of what is on the engine and in the state; empty where these differ or one isn't healthy."""
    file, owner = states.state_file(session.clone, stack, session.environ), session.clone.id
    content = stack_state.content(file) if file else b""
    if not content:
        return ""
    containers = session.engine.containers(stack, owner)
    snapshot = Snapshot(session.engine, stack, owner)
    state = stack_state.parsed(content)
    if not containers or not all(one.is_fine for one in containers) or differences(state, snapshot, stack, owner):
        return ""
    return _digest(
        str(session.client.info()["ID"]), hashlib.sha256(content).hexdigest(), *(one.id for one in containers)
    )


def _is_read(variable: str) -> bool:
    return variable.startswith(VARIABLES) or variable.lower().endswith("_proxy")


def _is_proven(file: Path, proof: list[str]) -> bool:
    with suppress(OSError, ValueError, KeyError, TypeError):
        known = json.loads(file.read_text())
        return all(proof) and known["proof"] == proof and 0 <= time.time() - known["at"] < LONGEST_SECONDS
    return False


def _digest(*parts: str) -> str:
    return text_sha256(*parts)
