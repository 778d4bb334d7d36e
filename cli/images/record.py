"""The record of this machine: what was decided for each of its engines."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from cli.core.atomic_files import write_whole
from cli.core.paths import data_home
from infra.catalogue import ImageSource


class Decision(BaseModel):
    """Where images come from, and why."""

    model_config = ConfigDict(frozen=True)

    source: ImageSource
    reason: str


class EngineRecord(BaseModel):
    """What is known of an engine; what others keep there stays."""

    model_config = ConfigDict(extra="allow")

    image_source: Decision | None = None


class MachineRecord(BaseModel):
    """What is known of this machine; what others keep there stays."""

    model_config = ConfigDict(extra="allow")

    engines: dict[str, EngineRecord] = Field(default_factory=dict)


def file() -> Path:
    """Return where the record is kept."""
    return data_home() / "machine.json"


def read() -> MachineRecord:
    """Read the record."""
    try:
        return MachineRecord.model_validate_json(file().read_text())
    except (FileNotFoundError, ValidationError):
        return MachineRecord()


def write(engine: str, decision: Decision | None) -> None:
    """Record where an engine's images come from."""
    record = read()
    record.engines.setdefault(engine, EngineRecord()).image_source = decision
    write_whole(file(), record.model_dump_json(indent=2, exclude_none=True) + "\n")
