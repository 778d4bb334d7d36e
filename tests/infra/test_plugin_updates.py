"""Every input that the program declares on the engine: the plugin replaces, the program replaces, or it is updated."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable, Iterable, Iterator, Mapping
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc  # type: ignore[import-untyped]
import pytest
from google.protobuf import json_format, struct_pb2  # type: ignore[import-untyped]
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc

if TYPE_CHECKING:
    from tests.infra.recording import Declared, Deployment

UPDATED = {"memory", "memorySwap", "restart"}
"""What the engine itself can change of a container; tests/system/commands/test_failing.py shows that it does."""

UNSEEN = {
    "attach",
    "destroyGraceSeconds",
    "keepLocally",
    "mustRun",
    "wait",
    "waitTimeout",
}
"""What only says how the plugin goes about it: the engine has no such property."""

AT_MOST = 20.0
"""Seconds for an answer of the plugin."""


@pytest.fixture(scope="module")
def plugin() -> Iterator[provider_pb2_grpc.ResourceProviderStub]:
    """The docker plugin that updates use."""
    home = Path(os.environ.get("PULUMI_HOME") or Path.home() / ".pulumi")
    (binary,) = home.glob("plugins/resource-docker-*/pulumi-resource-docker")
    with subprocess.Popen([binary], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            port = int(process.stdout.readline())
            with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
                yield provider_pb2_grpc.ResourceProviderStub(channel)
        finally:
            process.kill()


def _struct(values: Mapping[str, Any]) -> struct_pb2.Struct:
    return json_format.ParseDict(dict(values), struct_pb2.Struct())


def other(value: Any) -> Any:  # noqa: ANN401 - any property
    """Return another value of the same form."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    if isinstance(value, str):
        return f"{value}x"
    if isinstance(value, list):
        return [other(value[0]), *value[1:]]
    return {key: other(inner) for key, inner in value.items()}


def silent(plugin: provider_pb2_grpc.ResourceProviderStub, resource: Declared) -> set[str]:
    """Return the inputs of which an edit replaces nothing, by the plugin or by the program."""
    urn = f"urn:pulumi:dev::dashtam::{resource.type}::{resource.name}"
    check = provider_pb2.CheckRequest(urn=urn, news=_struct(resource.inputs))
    checked = json_format.MessageToDict(plugin.Check(check, timeout=AT_MOST).inputs)
    old = _struct(checked)
    found = set()
    for name, value in resource.inputs.items():
        new = _struct({**checked, name: other(value)})
        request = provider_pb2.DiffRequest(id="0123456789ab", urn=urn, olds=old, news=new, old_inputs=old)
        answer = plugin.Diff(request, timeout=AT_MOST)
        assert name in _properties(answer.diffs), f"an edit of {name} is no change for the plugin"
        if name not in {*_properties(answer.replaces), *resource.request.replaceOnChanges}:
            found.add(name)
    return found


def _properties(paths: Iterable[str]) -> set[str]:
    return {re.split(r"[.\[]", path, maxsplit=1)[0] for path in paths}


def test_no_edit_is_silently_ignored(
    plugin: provider_pb2_grpc.ResourceProviderStub, declare: Callable[[str], Deployment]
) -> None:
    declared = [one for one in declare("dev").resources if one.type.startswith("docker:")]
    assert {one.type.rpartition(":")[2] for one in declared} == {"Container", "Network", "RemoteImage", "Volume"}
    ignored = {one.name: silent(plugin, one) - UPDATED - UNSEEN for one in declared}
    assert {name: inputs for name, inputs in ignored.items() if inputs} == {}


def test_the_program_replaces_only_what_the_plugin_would_ignore(
    plugin: provider_pb2_grpc.ResourceProviderStub, declare: Callable[[str], Deployment]
) -> None:
    container = declare("dev").service("app")
    request = deepcopy(container.request)
    request.ClearField("replaceOnChanges")
    assert silent(plugin, replace(container, request=request)) - UPDATED - UNSEEN == {
        "healthcheck",
        "init",
        "mounts",
        "tmpfs",
    }
