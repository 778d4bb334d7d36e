"""What Pulumi's state has of an environment, read without changing it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

CONTAINER = "docker:index/container:Container"
NETWORK = "docker:index/network:Network"
SERVICE = "docker:index/service:Service"
SECRET = "docker:index/secret:Secret"  # noqa: S105 - a type
VOLUME = "docker:index/volume:Volume"
IMAGE = "docker:index/remoteImage:RemoteImage"
KEY = "tls:index/privateKey:PrivateKey"
AUTHORITY = "tls:index/selfSignedCert:SelfSignedCert"
CERTIFICATE = "tls:index/locallySignedCert:LocallySignedCert"

SOON_DAYS = 7
"""Commands warn of a certificate's end from so many days before it on."""

_STACK = "pulumi:pulumi:Stack"


@dataclass(frozen=True)
class Resource:
    """A resource as the state has it: secrets as ciphertext; no provider's id if it is a component."""

    kind: str
    name: str
    id: str
    urn: str = ""
    protect: bool = False
    inputs: Mapping[str, Any] = field(default_factory=dict)
    outputs: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class StackState:
    """An environment as the state has it; its resources are in the order in which they were made."""

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
        """The stack's outputs; secret ones as ciphertext."""
        return next((one.outputs for one in self.of(_STACK)), {})

    @property
    def expiry(self) -> datetime | None:
        """When the first of the certificates expires; None where there are none."""
        return min(self._times("validityEndTime"), default=None)

    @property
    def beginning(self) -> datetime | None:
        """When the last of the certificates became valid; None where there are none."""
        return max(self._times("validityStartTime"), default=None)

    def _times(self, which: str) -> Iterator[datetime]:
        times = (one.outputs.get(which) for one in self.of(AUTHORITY, CERTIFICATE))
        return (datetime.fromisoformat(time) for time in times if time)


def deployment(content: bytes) -> dict[str, Any]:
    """Return the deployment in the content of a state file; an empty one if there is none."""
    checkpoint = json.loads(content).get("checkpoint") or {}
    return checkpoint.get("latest") or {}


def of(deployment: Mapping[str, Any]) -> StackState:
    """Return the state in a deployment, as `pulumi stack export` prints it."""
    return StackState([_resource(one) for one in deployment.get("resources") or []])


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
