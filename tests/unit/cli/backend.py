"""Pulumi's file backend, and the two Pulumi commands that `clean` uses on it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from infra.naming import PROJECT

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from cli.pulumi.process import Pulumi
    from cli.pulumi.stack_state import Resource


@dataclass
class Backend:
    """A backend of files.

    Attributes:
        root: Its folder.
    """

    root: Path

    @property
    def environ(self) -> dict[str, str]:
        """The variables that select this backend."""
        return {"PULUMI_BACKEND_URL": self.root.as_uri()}

    @property
    def pulumi(self) -> Pulumi:
        """Pulumi with this backend."""
        return cast("Pulumi", self)

    @property
    def _folder(self) -> Path:
        return self.root / ".pulumi/stacks" / PROJECT

    def write(self, stack: str, resources: Iterable[Resource]) -> None:
        """Write the state of a stack."""
        self._folder.mkdir(parents=True, exist_ok=True)
        documents = [
            {
                "type": one.kind,
                "urn": one.urn or f"urn:pulumi:{stack}::{PROJECT}::{one.kind}::{one.name}",
                "id": one.id,
                "inputs": dict(one.inputs),
                "outputs": dict(one.outputs),
                "protect": one.protect,
            }
            for one in resources
        ]
        state = {"version": 3, "checkpoint": {"latest": {"resources": documents}}}
        (self._folder / f"{stack}.json").write_text(json.dumps(state))

    def stacks(self) -> set[str]:
        """Return the names of the stacks."""
        return {one.stem for one in self._folder.glob("*.json")}

    def run(self, *arguments: str) -> str:
        """Run `pulumi stack rm`: remove a stack's state and leave its config."""
        *words, stack = arguments[:3]
        assert words == ["stack", "rm"]
        assert {"--force", "--preserve-config", "--yes"} == {*arguments[3:]}
        (self._folder / f"{stack}.json").unlink()
        return ""
