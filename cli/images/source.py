"""Where this machine's base images come from: found out once, recorded for each engine, and open to change."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import requests
from docker import DockerClient
from docker.errors import DockerException
from pydantic import BaseModel, Field, ValidationError

from cli.core.atomic_files import write_whole
from cli.core.errors import UsageError, did_you_mean
from cli.core.paths import data_home
from cli.engine.connect import answering_within
from cli.images import debian, rootfs
from cli.images.local import is_local, local_references
from cli.ui.console import announce
from infra.catalogue import BASES, POSTGRES, SOURCE_VARIABLE, ImageSource

AUTO = "auto"
CHOICES = (AUTO, *(one.value for one in ImageSource))
"""What a user can choose."""

PROBE_SECONDS = 5.0
"""How long a registry has to answer. The engine itself tries for minutes where packets are dropped."""


class Decision(BaseModel, frozen=True):
    """Where images come from, and why."""

    source: ImageSource
    reason: str


class EngineRecord(BaseModel, extra="allow"):
    """The record of an engine; fields of other versions stay."""

    image_source: Decision | None = None


class MachineRecord(BaseModel, extra="allow"):
    """The record of this machine; fields of other versions stay."""

    engines: dict[str, EngineRecord] = Field(default_factory=dict)


def decide(client: DockerClient, environ: Mapping[str, str] = os.environ) -> ImageSource:
    """Return where this machine's images come from, and record it."""
    return (known(client, environ) or _find_out(client)).source


def explain(client: DockerClient, environ: Mapping[str, str] = os.environ) -> Decision:
    """Return where this machine's images come from, and why, without recording anything."""
    return known(client, environ) or probe(client)


def known(client: DockerClient, environ: Mapping[str, str] = os.environ) -> Decision | None:
    """Return where this machine's images come from, where that is set or recorded; no registry is asked."""
    if name := environ.get(SOURCE_VARIABLE):
        return Decision(source=parse(name), reason=f"set by {SOURCE_VARIABLE}")
    recorded = _read().engines.get(_engine_id(client))
    return recorded.image_source if recorded else None


def choose(client: DockerClient, name: str, environ: Mapping[str, str] = os.environ) -> Decision:
    """Record the source that the user names; `auto` finds it out again. Tell where the variable overrides it."""
    decision = _choose(client, name)
    if environ.get(SOURCE_VARIABLE) not in {None, "", decision.source}:
        announce(
            f"{SOURCE_VARIABLE}={environ[SOURCE_VARIABLE]} of this shell overrides this choice."
            f' Run `unset {SOURCE_VARIABLE}` in it, then for plain Pulumi `eval "$(./dashtam env)"` again.'
        )
    return decision


def _choose(client: DockerClient, name: str) -> Decision:
    engine = _engine_id(client)
    if name == AUTO:
        _record(engine, None)
        return _find_out(client)
    if name not in CHOICES:
        raise UsageError(
            f"There is no image source {name!r}.",
            cause="Valid sources: auto, registry, debian.",
            remedy=f"{did_you_mean(name, CHOICES)}`./dashtam images source auto` finds out which source works.",
        )
    decision = Decision(source=ImageSource(name), reason=f"chosen with `./dashtam images source {name}`")
    _record(engine, decision)
    return decision


def parse(name: str) -> ImageSource:
    """Return the source that the variable names."""
    try:
        return ImageSource(name)
    except ValueError:
        raise UsageError(
            f"{SOURCE_VARIABLE} names no image source: {name!r}.",
            cause="Valid sources: registry, debian.",
            remedy=f"Correct or unset {SOURCE_VARIABLE}.",
        ) from None


def probe(client: DockerClient, reference: str = POSTGRES.official, seconds: float = PROBE_SECONDS) -> Decision:
    """Find out where images can come from."""
    local = local_references(client)
    if all(is_local(base.reference(ImageSource.REGISTRY), local) for base in BASES):
        return Decision(source=ImageSource.REGISTRY, reason="the official images are here")
    try:
        with answering_within(client, seconds):
            client.images.get_registry_data(reference)
    except requests.Timeout:
        return Decision(source=ImageSource.DEBIAN, reason=f"no image registry answered within {seconds:.0f} s")
    except (DockerException, requests.RequestException) as error:
        if "credentials store error" in str(error).lower():
            raise  # Docker's config is wrong, which says nothing about the registry
        return Decision(source=ImageSource.DEBIAN, reason="no image registry could be reached")
    return Decision(source=ImageSource.REGISTRY, reason="an image registry answers")


def _find_out(client: DockerClient) -> Decision:
    found = probe(client)
    # A machine that can't build the images looks for a registry again the next time.
    usable = found.source is ImageSource.REGISTRY or rootfs.obstacle() is None
    if usable or debian.current_references() <= local_references(client):
        _record(_engine_id(client), found)
    return found


def _engine_id(client: DockerClient) -> str:
    return str(client.info().get("ID") or "unknown")


def _file() -> Path:
    return data_home() / "machine.json"


def _read() -> MachineRecord:
    try:
        return MachineRecord.model_validate_json(_file().read_text())
    except (FileNotFoundError, NotADirectoryError, UnicodeDecodeError, ValidationError):
        return MachineRecord()


def _record(engine: str, decision: Decision | None) -> None:
    record = _read()
    record.engines.setdefault(engine, EngineRecord()).image_source = decision
    write_whole(_file(), record.model_dump_json(indent=2, exclude_none=True) + "\n")
