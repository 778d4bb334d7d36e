"""What Pulumi's state says of an environment, read without changing it; where it is a file, without starting Pulumi."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from cli.environments import tool_environment
from cli.environments.clone import Clone
from cli.pulumi import backend

CONTAINER = "docker:index/container:Container"
NETWORK = "docker:index/network:Network"
VOLUME = "docker:index/volume:Volume"
IMAGE = "docker:index/remoteImage:RemoteImage"
KEY = "tls:index/privateKey:PrivateKey"
AUTHORITY = "tls:index/selfSignedCert:SelfSignedCert"
CERTIFICATE = "tls:index/locallySignedCert:LocallySignedCert"

_STACK = "pulumi:pulumi:Stack"


@dataclass(frozen=True)
class Resource:
    """A resource as the state has it. What is secret is there in ciphertext only.

    Args:
        kind: Pulumi's type token.
        name: Its name in the program.
        id: The provider's id of it; empty for a component.
        urn: What Pulumi calls it.
        inputs: What the program asked for.
        outputs: What became of it.
        protect: Whether Pulumi refuses to delete it.
    """

    kind: str
    name: str
    id: str
    urn: str = ""
    protect: bool = False
    inputs: Mapping[str, Any] = field(default_factory=dict)
    outputs: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Recorded:
    """An environment as the state has it.

    Args:
        resources: In the order in which they were made.
    """

    resources: Sequence[Resource]

    def of(self, *kinds: str) -> Iterator[Resource]:
        """Yield the resources of some types."""
        return (one for one in self.resources if one.kind in kinds)

    @property
    def protected(self) -> bool:
        """Whether there is a resource that Pulumi refuses to delete."""
        return any(one.protect for one in self.resources)

    @property
    def outputs(self) -> Mapping[str, Any]:
        """The stack's outputs; secret ones in ciphertext."""
        return next((one.outputs for one in self.of(_STACK)), {})

    @property
    def expiry(self) -> datetime | None:
        """When the first of the certificates expires; None where there are none."""
        return min(self._moments("validityEndTime"), default=None)

    @property
    def beginning(self) -> datetime | None:
        """When the last of the certificates became valid; None where there are none."""
        return max(self._moments("validityStartTime"), default=None)

    def _moments(self, which: str) -> Iterator[datetime]:
        moments = (one.outputs.get(which) for one in self.of(AUTHORITY, CERTIFICATE))
        return (datetime.fromisoformat(moment) for moment in moments if moment)


def read(clone: Clone, stack: str, environ: Mapping[str, str] = os.environ) -> Recorded:
    """Read an environment's state.

    Args:
        clone: The clone that it belongs to.
        stack: The environment.
        environ: This process's environment, which may name another backend.

    Returns:
        The state; without resources where the environment is not up.

    Raises:
        UserError: The backend is none of files, and Pulumi isn't there or can't read it.
    """
    file = state_file(clone, stack, environ)
    return parsed(content(file)) if file else _recorded(_from_pulumi(clone, stack, environ))


def parsed(content: bytes) -> Recorded:
    """Return what the content of a state file says; nothing of an empty one."""
    checkpoint = json.loads(content or b"{}").get("checkpoint") or {}
    return _recorded(checkpoint.get("latest") or {})


def state_file(clone: Clone, stack: str, environ: Mapping[str, str]) -> Path | None:
    """Return the file that has an environment's state; None where only Pulumi can read that."""
    found = backend.folder(tool_environment.of(clone, environ), clone.root)
    file = found.state(stack) if found else None
    return None if file is None or file.suffix == backend.ZSTD else file


def content(file: Path) -> bytes:
    """Return what a state file says; nothing where there is none."""
    with suppress(FileNotFoundError):
        # Pulumi replaces the file as a whole: it is never seen half written.
        written = file.read_bytes()
        return gzip.decompress(written) if file.suffix == ".gz" else written
    return b""


def _from_pulumi(clone: Clone, stack: str, environ: Mapping[str, str]) -> dict[str, Any]:
    # What finds Pulumi takes long to import, and most clones don't need it.
    from cli.machine import setup  # noqa: PLC0415
    from cli.pulumi.process import Pulumi  # noqa: PLC0415

    machine = setup.prepare(install=False, need_engine=False)
    pulumi = Pulumi(tool_environment.of(clone, {**environ, **machine.environment}), clone.root)
    if stack not in pulumi.stacks():
        return {}
    return json.loads(pulumi.run("stack", "export", "--stack", stack)).get("deployment") or {}


def _recorded(deployment: Mapping[str, Any]) -> Recorded:
    return Recorded([_resource(one) for one in deployment.get("resources") or []])


def _resource(document: Mapping[str, Any]) -> Resource:
    return Resource(
        kind=document["type"],
        name=document["urn"].rsplit("::", 1)[-1],
        id=document.get("id", ""),
        urn=document["urn"],
        protect=bool(document.get("protect")),
        inputs=document.get("inputs") or {},
        outputs=document.get("outputs") or {},
    )
