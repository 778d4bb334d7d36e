"""An engine and Pulumi with state: what one update makes, the next command finds."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from http import HTTPStatus
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

from docker.errors import APIError, ImageNotFound
from requests import Response

from cli.environments.clone import Clone
from cli.environments.handle import EnvironmentHandle
from cli.operations.update import watcher
from infra.outputs import PublicOutputs, StackOutputs
from tests.unit.cli.conftest import HEALTHY
from tests.unit.infra.test_outputs import DOCUMENT

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from pathlib import Path

    import pytest

    from cli.engine.container import ContainerView
    from cli.engine.inventory import EngineView


CONFIG = """\
config:
  dashtam:postgres: {database: d, user: u}
  dashtam:app: {oauth_redirect_uri: "https://127.0.0.1:8182"}
"""
"""Without the sandbox."""


def make_world(root: Path, monkeypatch: pytest.MonkeyPatch, *stacks: str) -> World:
    """Return a world of a new clone whose environments have this config, and let updates watch its containers."""
    for stack in stacks:
        (root / f"Pulumi.{stack}.yaml").write_text(CONFIG)
    clone = Clone("me", root, root / "home")
    clone.home.mkdir(parents=True, exist_ok=True)
    world = World(clone, root)
    monkeypatch.setattr(watcher, "EngineView", lambda _client: world)
    return world


def empty_engine() -> SimpleNamespace:
    """Return the SDK's low-level client of an engine that has nothing."""
    return SimpleNamespace(
        version=lambda **_: {"Components": [{"Name": "Engine"}]},
        info=lambda: {"ID": "engine"},
        containers=lambda **_: [],
        networks=list,
        volumes=lambda: {"Volumes": None},
    )


@dataclass
class World:
    """What is on the engine, and what Pulumi does to it.

    Attributes:
        up: Services by environment, as an update of it makes them.
        fails: Environments whose updates fail.
    """

    clone: Clone
    root: Path
    up: dict[str, ContainerView] = field(default_factory=dict)
    guests: dict[str, ContainerView] = field(default_factory=dict)
    fails: set[str] = field(default_factory=set)
    health: str = "healthy"
    updates: list[tuple[str, ...]] = field(default_factory=list)
    asked_to_stop: list[str] = field(default_factory=list)
    has_images: bool = False
    mounts: bool = True

    # The session.
    @property
    def environ(self) -> dict[str, str]:
        return {"PULUMI_BACKEND_URL": (self.root / "state").as_uri()}

    @property
    def pulumi(self) -> World:
        return self

    @property
    def engine(self) -> World:
        return self

    @property
    def client(self) -> World:
        return self

    def connect(self) -> World:
        return self

    def environment(self, stack: str) -> EnvironmentHandle:
        return EnvironmentHandle(stack, self.clone, cast("EngineView", self))

    def require_images(self) -> None:
        self.has_images = True

    @property
    def api(self) -> SimpleNamespace:
        engine = empty_engine()
        engine.create_host_config = lambda **_: {}
        engine.create_container = self.create_container
        return engine

    def create_container(self, *_: object, **__: object) -> None:
        if self.mounts:
            raise ImageNotFound("no such image")
        response = Response()
        response.status_code = HTTPStatus.BAD_REQUEST
        raise APIError("refused", response, "bind source path does not exist")

    # Pulumi.
    def deployment(self, stack: str) -> dict[str, Any]:
        containers = [
            {"urn": f"urn::{one.name}", "type": "docker:index/container:Container", "id": one.id}
            for name, one in self.up.items()
            if name == stack
        ]
        return {"resources": containers}

    def language_host(self) -> AbstractContextManager[None]:
        return nullcontext()

    def update(self, command: str, stack: str, *flags: str, **callbacks: object) -> bool:
        assert callbacks.keys() == {"on_event", "must_end", "host"}
        assert self.has_images or command != "up"
        self.updates.append((command, stack, *flags))
        if stack in self.fails:
            return False
        if command == "up":
            self.up[stack] = replace(
                HEALTHY, id=f"id-{stack}", name=f"dashtam-{stack}-app", stack=stack, ports={}, health=self.health
            )
        else:
            assert stack not in self.guests, "what runs beside the services keeps their network from being removed"
            self.up.pop(stack, None)
        return True

    def public_outputs(self, stack: str) -> PublicOutputs:
        found = self.outputs(stack)
        assert found
        return found.public()

    def outputs(self, stack: str) -> StackOutputs | None:
        return StackOutputs.model_validate({**DOCUMENT, "environment": stack}) if stack in self.up else None

    # The engine.
    def now(self) -> str:
        return self.info()["SystemTime"]

    def info(self) -> dict[str, str]:
        return {"ID": "engine", "SystemTime": datetime.now(UTC).isoformat(), "DockerRootDir": str(self.root)}

    def containers(self, stack: str | None = None, owner: str | None = None) -> list[ContainerView]:
        assert owner in {None, self.clone.id}
        return [one for found in (self.up, self.guests) for name, one in found.items() if stack in {None, name}]

    def summaries(self, stack: str | None = None, owner: str | None = None) -> list[dict[str, str]]:
        return [{"Id": one.id, "State": one.state, "Status": one.health} for one in self.containers(stack, owner)]

    def container(self, container: str) -> ContainerView:
        return next(one for one in self.containers() if one.id == container)

    def ask_to_stop(self, container: str) -> None:
        self.asked_to_stop.append(container)

    def remove_container(self, container: str) -> None:
        for found in (self.up, self.guests):
            for name in [name for name, one in found.items() if one.id == container]:
                del found[name]

    def last_lines(self, container: str, count: int) -> list[str]:
        return [f"last words of {container}"][:count]

    def publishes_here(self) -> bool:
        return True

    def networks(self, *_: object) -> dict[str, str]:
        return {}

    secrets = networks

    def volumes(self, *_: object) -> set[str]:
        return set()

    def nothing(self, *_: object) -> list[Any]:
        return []

    documents = services = service_documents = objects = all_containers = volume_documents = network_documents = nothing
