"""Proves that `up` would change nothing: it would read the same as the last one, and find what that one made.

The proof is a digest. Where anything is unknown there is none, and Pulumi decides.
"""

from __future__ import annotations

import json
import time
from contextlib import suppress
from pathlib import Path

from cli.core.atomic_files import write_whole
from cli.core.hashing import text_sha256
from cli.data import restore_journal
from cli.environments import placements, states
from cli.environments.configuration import configuration
from cli.operations.drift import EngineReading, differences
from cli.operations.session import Session
from cli.pulumi import stack_state
from infra import authorities, proxies
from infra.catalogue import source_digest
from infra.outputs import PublicOutputs
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


def outputs(session: Session, stack: str, read: str) -> PublicOutputs | None:
    """Return an environment's outputs if the digest of what `up` would read proves that it would change nothing."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        known = json.loads(_file(session, stack).read_text())
        is_recent = 0 <= time.time() - known["at"] < LONGEST_SECONDS
        if is_recent and known["read"] == read and known["made"] == made(session, stack):
            return PublicOutputs.model_validate(known["outputs"])
    return None


def record(session: Session, stack: str, read: str, found: PublicOutputs) -> None:
    """Record what an `up` read and made; `read` is the digest from before it began."""
    done = made(session, stack)
    # Where something was edited meanwhile, it is unknown whether `up` has read it.
    if done and inputs(session, stack) == read:
        proof = {"read": read, "made": done, "at": time.time(), "outputs": found.model_dump(mode="json")}
        write_whole(_file(session, stack), json.dumps(proof))


def _file(session: Session, stack: str) -> Path:
    return session.clone.home / "unchanged" / f"{stack}.json"


def inputs(session: Session, stack: str) -> str:
    """Return a digest of what `up` reads."""
    root = session.clone.root
    config = configuration(root, stack)
    names = (*INPUTS, f"Pulumi.{stack}.yaml", *(["tests"] if config.tests.image else []))
    credentials = read_credentials(stack, config.providers)
    return text_sha256(
        str(root),
        source_digest(*(root / name for name in names)),
        placements.of(session.clone, stack).model_dump_json(),
        *(f"{name}={value}" for name, value in sorted(session.environ.items()) if _is_read(name)),
        *(f"{name}={value}" for name, value in sorted(proxies.for_containers(session.environ).items())),
        *(f"{name} {one.client_id} {one.client_secret}" for name, one in sorted(credentials.items())),
        authorities.added(session.environ) if credentials else "",
    )


def made(session: Session, stack: str) -> str:
    """Return a digest of state and engine; empty where these differ, or a service isn't healthy."""
    deployment, owner = states.deployment(session.clone, stack, session.environ), session.clone.id
    if not deployment or restore_journal.of(session.clone, stack).read():
        return ""
    reading = EngineReading(session.engine, stack, owner)
    containers = reading.views
    if not containers or not all(one.is_fine for one in containers):
        return ""
    if differences(stack_state.of(deployment), reading, stack, owner):
        return ""
    return text_sha256(str(session.client.info()["ID"]), json.dumps(deployment), *(one.id for one in containers))


def _is_read(variable: str) -> bool:
    return variable.startswith(VARIABLES) or variable.lower().endswith("_proxy")
