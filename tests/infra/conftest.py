from __future__ import annotations

import gc
import json
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from pulumi.runtime import mocks

from infra.catalogue import ROOT
from tests.infra.engine_double import EngineDouble, listening
from tests.infra.recording import OWNER, Deployment, Recorder, run_program

STACKS = ("dev", "test", "ci", "review-42")

SHOWN_ALREADY = 32
"""The exit status that keeps Pulumi's language host from adding to what the program said."""

COPIED = {"postgres": 5444, "redis": 6391, "app": 8010, "callback": 8192, "sandbox": 8292}
"""The ports of the further stack, whose config is a copy of test's."""


def read_config(path: Path) -> dict[str, str]:
    """Return a stack's config as Pulumi hands it to the program: every value as text, objects as JSON."""
    document = yaml.safe_load(path.read_text())["config"]
    return {key: value if isinstance(value, str) else json.dumps(value) for key, value in document.items()}


def stack_config(stack: str) -> dict[str, str]:
    """Return a stack's config; a further stack's is a copy of test's with its own ports."""
    if stack in STACKS[:3]:
        return read_config(ROOT / f"Pulumi.{stack}.yaml")
    config = {key: json.loads(value) for key, value in read_config(ROOT / "Pulumi.test.yaml").items()}
    for service, port in COPIED.items():
        config[f"dashtam:{service}"]["port"] = port
    config["dashtam:app"]["oauth_redirect_uri"] = f"https://127.0.0.1:{COPIED['callback']}"
    return {key: json.dumps(value) for key, value in config.items()}


def swarm_config(socket: str, **target: object) -> dict[str, str]:
    """Return the config of a stack that keeps its data on the first of three nodes."""
    config = {key: json.loads(value) for key, value in stack_config("review-42").items()}
    for service in ("postgres", "redis"):
        config[f"dashtam:{service}"] |= {"port": None, "storage": "volume", "tuning": "durable", "persistence": "aof"}
    for key, absent in (("postgres", ("port", "persistence")), ("redis", ("port", "tuning"))):
        for name in absent:
            del config[f"dashtam:{key}"][name]
    config["dashtam:network"] = {"bind_address": "0.0.0.0", "hostname": "staging.example"}
    config["dashtam:target"] = {
        "kind": "swarm",
        "expose": True,
        "replicas": {"app": 3, "callback": 2},
        "data_node": "node1",
        "nodes": {"node1": socket},
        **target,
    }
    return {key: json.dumps(value) for key, value in config.items()}


_ENGINE = EngineDouble()


@pytest.fixture(autouse=True, scope="module")
def collected() -> Iterator[None]:
    """Let what is left of programs that failed be reported here.

    Its report reads source code, which in the midst of another test's `ast.parse` is an error (python/cpython#106905).
    """
    yield
    gc.collect()


@pytest.fixture
def engine() -> Iterator[EngineDouble]:
    """The engine that the program finds, empty before and after."""
    _ENGINE.clear()
    yield _ENGINE
    _ENGINE.clear()


@pytest.fixture(scope="session")
def engine_socket() -> Iterator[str]:
    """Where that engine answers."""
    with tempfile.TemporaryDirectory() as folder, listening(_ENGINE, Path(folder)) as address:
        yield address


@pytest.fixture(scope="session")
def variables(engine_socket: str) -> dict[str, str]:
    """What `./dashtam env` sets for the program."""
    return {"DOCKER_HOST": engine_socket, "DASHTAM_CLONE": OWNER, "DASHTAM_IMAGE_SOURCE": "debian"}


@pytest.fixture(scope="session")
def declare(variables: dict[str, str]) -> Callable[[str], Deployment]:
    """Give what the program declares for a stack; each stack's program runs once."""
    done: dict[str, Deployment] = {}

    def declared(stack: str) -> Deployment:
        if stack not in done:
            done[stack] = run_program(stack, stack_config(stack), variables)
        return done[stack]

    return declared


@pytest.fixture(scope="session")
def swarm(variables: dict[str, str]) -> Deployment:
    """What the program declares on a Swarm of three nodes."""
    _ENGINE.clear()
    _ENGINE.manage("node1", "node2", "node3")
    try:
        return run_program("review-42", swarm_config(variables["DOCKER_HOST"]), variables)
    finally:
        _ENGINE.clear()


@pytest.fixture(scope="session")
def without_sandbox(variables: dict[str, str]) -> Deployment:
    """What the program declares for a stack whose sandbox is switched off, its port left as it is."""
    config = stack_config("review-42")
    changed = {**json.loads(config["dashtam:sandbox"]), "enabled": False}
    return run_program("review-42", {**config, "dashtam:sandbox": json.dumps(changed)}, variables)


@pytest.fixture
def refuse(
    variables: dict[str, str], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., list[str]]:
    """Run the program where something is wrong; give what it says, and make sure that it declares nothing."""
    monkeypatch.setattr(Recorder, "RegisterResource", _stack_alone)

    def refused(
        stack: str, config: Mapping[str, str] | None = None, earlier: Mapping[str, Any] | None = None, **changes: str
    ) -> list[str]:
        with pytest.raises(SystemExit) as stopped:
            run_program(stack, stack_config("test") | dict(config or {}), variables | changes, earlier=earlier)
        assert stopped.value.code == SHOWN_ALREADY
        return messages(caplog)

    return refused


def messages(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return what the program shows; asyncio may report what was left of an earlier test."""
    return [one.getMessage() for one in caplog.records if one.name == "root"]


def _stack_alone(recorder: Recorder, request: Any) -> Any:  # noqa: ANN401 - as the monitor's
    assert request.type == "pulumi:pulumi:Stack"
    return mocks.MockMonitor.RegisterResource(recorder, request)  # type: ignore[no-untyped-call]


@pytest.fixture(params=STACKS)
def deployment(request: pytest.FixtureRequest, declare: Callable[[str], Deployment]) -> Deployment:
    """What the program declares, for each stack in turn."""
    return declare(request.param)
