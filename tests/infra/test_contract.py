"""Every input that the program sends exists in the published SDK and in the plugin that this machine's engine uses."""

from __future__ import annotations

import os
import subprocess
import typing
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc  # type: ignore[import-untyped]
import pulumi_docker
import pulumi_random
import pulumi_tls
import pytest
from google.protobuf import struct_pb2  # type: ignore[import-untyped]
from pulumi import _types
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc

if TYPE_CHECKING:
    from tests.infra.recording import Deployment

    Check = Callable[[str, Mapping[str, Any]], list[str]]

SDKS = {"docker": pulumi_docker, "random": pulumi_random, "tls": pulumi_tls}
NAMED = {"name": "n", "image": "i"}
CONTAINER = "docker:index/container:Container"
IMAGE = "docker:index/remoteImage:RemoteImage"


def surplus(kind: type, inputs: Mapping[str, Any], path: str = "") -> list[str]:
    """Return the names among some inputs, nested ones too, that an input type of the SDK doesn't have."""
    known = set(_types.input_type_py_to_pulumi_names(kind).values())
    types = _types.input_type_types(kind)
    unknown = [f"{path}{name}" for name in inputs if name not in known]
    for name in set(inputs) & known:
        nested = input_types(types[name])
        values = inputs[name] if isinstance(inputs[name], list) else [inputs[name]]
        for inner in nested:
            unknown += [found for value in values for found in surplus(inner, value, f"{path}{name}.")]
    return unknown


def input_types(annotation: Any) -> set[type]:  # noqa: ANN401 - an annotation
    """Return the SDK's input types in an annotation."""
    if _types.is_input_type(annotation):
        return {annotation}
    return set[type]().union(*(input_types(inner) for inner in typing.get_args(annotation)))


def sdk_inputs(token: str) -> type:
    package, _, name = token.split(":")
    found = getattr(SDKS[package], f"{name}Args")
    assert isinstance(found, type)
    return found


def plugin(package: str) -> Path:
    """Return the plugin that the engine takes for a package of the program."""
    home = Path(os.environ.get("PULUMI_HOME") or Path.home() / ".pulumi")
    release = version(f"pulumi-{package}")
    return home / "plugins" / f"resource-{package}-v{release}" / f"pulumi-resource-{package}"


def started(package: str, cleanup: ExitStack) -> provider_pb2_grpc.ResourceProviderStub:
    process = cleanup.enter_context(subprocess.Popen([plugin(package)], stdout=subprocess.PIPE, text=True))
    cleanup.callback(process.kill)
    assert process.stdout
    port = int(process.stdout.readline())  # a plugin's first line
    channel = cleanup.enter_context(grpc.insecure_channel(f"127.0.0.1:{port}"))
    return provider_pb2_grpc.ResourceProviderStub(channel)


@pytest.fixture(scope="module")
def check() -> Iterator[Check]:
    """Ask the real plugin what is wrong with a resource's inputs, as the engine does before anything is made."""
    with ExitStack() as cleanup:
        stubs: dict[str, Any] = {}

        def ask(token: str, inputs: Mapping[str, Any]) -> list[str]:
            package = token.partition(":")[0]
            stub = stubs[package] = stubs.get(package) or started(package, cleanup)
            news = struct_pb2.Struct()
            news.update(inputs)
            urn = f"urn:pulumi:contract::dashtam::{token}::subject"
            reply = stub.Check(provider_pb2.CheckRequest(urn=urn, news=news, randomSeed=bytes(32)))
            return [failure.reason for failure in reply.failures]

        yield ask


def custom(deployment: Deployment) -> list[Any]:
    return [resource for resource in deployment.resources if resource.request.custom]


def test_the_program_uses_all_three_packages(deployment: Deployment) -> None:
    assert {resource.type.partition(":")[0] for resource in custom(deployment)} == set(SDKS)


def test_the_sdk_has_every_input(deployment: Deployment) -> None:
    for resource in custom(deployment):
        assert surplus(sdk_inputs(resource.type), resource.inputs) == [], resource.name


def test_the_plugin_has_every_input(deployment: Deployment, check: Check) -> None:
    for resource in custom(deployment):
        assert check(resource.type, resource.inputs) == [], resource.name


@pytest.mark.parametrize(
    ("token", "inputs", "name"),
    [
        (CONTAINER, {**NAMED, "bogus": 1}, "bogus"),
        (CONTAINER, {**NAMED, "healthcheck": {"tests": ["CMD"], "bogus": 1}}, "healthcheck.bogus"),
        (
            CONTAINER,
            {**NAMED, "mounts": [{"target": "t", "type": "bind", "bogus": 1}]},
            "mounts.bogus",
        ),
        (IMAGE, {"name": "n", "build": {"context": "c", "bogus": 1}}, "build.bogus"),
    ],
)
def test_an_input_that_does_not_exist_is_found(check: Check, token: str, inputs: dict[str, Any], name: str) -> None:
    """Or the tests above would pass whatever the program sent."""
    assert surplus(sdk_inputs(token), inputs) == [name]
    (reason,) = check(token, inputs)
    assert name.partition(".")[0] in reason


def test_an_input_that_is_missing_is_found(check: Check) -> None:
    assert check(CONTAINER, {"name": "n"})


def test_the_sdk_and_the_plugin_have_every_input_of_a_swarm(swarm: Deployment, check: Check) -> None:
    for resource in (one for one in custom(swarm) if not one.type.startswith("pulumi:providers:")):
        assert surplus(sdk_inputs(resource.type), resource.inputs) == [], resource.name
        assert check(resource.type, resource.inputs) == [], resource.name
