"""An engine as the code of images uses one, with its images in memory."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from docker.errors import APIError

DIGEST = "sha256:" + "0123456789abcdef" * 4
NEVER = "0001-01-01T00:00:00Z"
"""What the engine says of an image that it has never tagged."""


class FakeEngine:
    """Answers as an engine would, from memory, and counts what it is asked."""

    def __init__(self) -> None:
        self.tags: list[str] = []
        self.images_by_label: list[dict[str, Any]] = []
        self.service_images: list[dict[str, Any]] = []
        self.containers: list[dict[str, str]] = []
        self.last_tagged: dict[str, str] = {}
        self.registry: Exception | str = DIGEST
        self.pulled: list[tuple[str, str]] = []
        self.pull_events: list[dict[str, Any]] | Exception = []
        self.removed: list[str] = []
        self.in_use: set[str] = set()
        self.calls = 0
        self.api = SimpleNamespace(timeout=60, images=self._list, pull=self._pull, remove_image=self._remove)
        self.api.containers = lambda all: self.containers if all else []  # noqa: A006 - the SDK's own name
        self.images = SimpleNamespace(get_registry_data=self._ask, get=self._get)

    def info(self) -> dict[str, str]:
        return {"ID": "engine-one"}

    def _list(self, filters: dict[str, str] | None = None) -> list[dict[str, Any]]:
        self.calls += 1
        found = {"dashtam.base": self.images_by_label, "dashtam.component=service": self.service_images}
        return found[filters["label"]] if filters else [{"RepoTags": self.tags}]

    def _get(self, image: str) -> SimpleNamespace:
        return SimpleNamespace(attrs={"Metadata": {"LastTagTime": self.last_tagged.get(image, NEVER)}})

    def _ask(self, _: str) -> SimpleNamespace:
        self.calls += 1
        if isinstance(self.registry, Exception):
            raise self.registry
        return SimpleNamespace(id=self.registry)

    def _pull(self, repository: str, tag: str, **_: object) -> list[dict[str, Any]]:
        self.pulled.append((repository, tag))
        if isinstance(self.pull_events, Exception):
            raise self.pull_events
        return self.pull_events

    def _remove(self, tag: str) -> None:
        if tag in self.in_use:
            raise APIError("in use")
        self.removed.append(tag)
