"""Runs the real program against a monitor that records instead of creating."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import io
import json
import runpy
import tarfile
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pulumi
import pytest
from google.protobuf import json_format  # type: ignore[import-untyped]
from pulumi.runtime import mocks, rpc
from pulumi.runtime.settings import SETTINGS, set_root_resource
from pulumi.runtime.stack import run_in_stack

from infra import identity, state
from infra.catalogue import ROOT
from infra.config import placement

SECRET = "keep-this-hidden"
"""Part of every secret that the recording monitor makes up."""

OWNER = identity.read(ROOT) or "clone-under-test"
"""The program refuses to work for another clone than the one that it is in."""

SERVICES = ("postgres", "redis", "app", "callback", "sandbox")
"""What dev, test and ci have."""


@dataclass(frozen=True)
class Declared:
    """One resource as the program sent it.

    Args:
        type: Its type token.
        name: Its name in the program.
        inputs: What was sent, as plain values.
        raw: What was sent, with the marks of secrets.
        request: All of the registration, options included.
    """

    type: str
    name: str
    inputs: Mapping[str, Any]
    raw: Mapping[str, Any]
    request: Any

    @property
    def labels(self) -> dict[str, str]:
        return {label["label"]: label["value"] for label in self.inputs["labels"]}

    @property
    def shown(self) -> str:
        """What was sent, as text, without what is marked as secret."""
        return json.dumps(masked(self.raw))

    def depends_on(self, other: Declared) -> bool:
        return any(urn.endswith(f"::{other.name}") for urn in self.request.dependencies)


@dataclass
class Deployment:
    """What the program declares for one stack.

    Args:
        stack: The stack's name.
        resources: Everything that it registers, components too.
        raw_exports: What it exports, with the marks of secrets.
        placed: What stands for the stack in names, where that is not its own.
        placements: The clone's record of that.
    """

    stack: str
    resources: list[Declared] = field(default_factory=list)
    raw_exports: dict[str, Any] = field(default_factory=dict)
    owner: str = OWNER
    secret: str = SECRET
    placed: str = ""
    placements: Path | None = None

    def of(self, kind: str) -> list[Declared]:
        return [resource for resource in self.resources if resource.type.endswith(f":{kind}")]

    def named(self, kind: str, name: str) -> Declared:
        return next(resource for resource in self.of(kind) if resource.name == name)

    def service(self, name: str) -> Declared:
        return self.named("Container", f"dashtam-{self.placed or self.stack}-{name}")

    @property
    def services(self) -> list[Declared]:
        return [self.service(name) for name in SERVICES]

    @property
    def installer(self) -> Declared:
        return self.service("files")

    def file(self, service: str, name: str) -> str:
        """Return the content of a file that is installed for a service."""
        return self.files(service)[name]

    def files(self, service: str) -> dict[str, str]:
        """Return the content of all files that are installed for a service, by name."""
        [upload] = self.installer.inputs["uploads"]
        assert upload["file"] == "/install/files.tar"
        with tarfile.open(fileobj=io.BytesIO(base64.b64decode(upload["contentBase64"]))) as tar:
            found = {tuple(one.name.split("/")): tar.extractfile(one) for one in tar.getmembers()}
            return {name: file.read().decode() for (reader, name), file in found.items() if file and reader == service}

    @property
    def exports(self) -> dict[str, Any]:
        return {name: unmarked(value) for name, value in self.raw_exports.items()}

    @property
    def secret_exports(self) -> set[str]:
        return {name for name, value in self.raw_exports.items() if is_secret(value)}


class Provider(mocks.Mocks):
    """Answers as the providers do, with secrets that can be recognised.

    Args:
        earlier: What the state has of earlier updates: type and outputs by URN.
        exit_codes: How containers end, by name; what Pulumi has for unknown where they are left out.
    """

    def __init__(self, earlier: Mapping[str, Any], exit_codes: Mapping[str, Any]) -> None:
        self._earlier, self._exit_codes = earlier, exit_codes

    def call(self, args: mocks.MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]] | None]:
        assert args.token == state.READ, f"the program reads its state alone, but {args.token} was called"
        assert args.args["stackName"].startswith("organization/dashtam/")
        return {"outputs": self._earlier}, []

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        return f"{args.name}-id", {**args.inputs, **_made(args), "exitCode": self._exit_codes.get(args.name, 0)}


def _made(args: mocks.MockResourceArgs) -> dict[str, Any]:
    secret = f"{SECRET}-{args.name}"
    made: dict[str, dict[str, Any]] = {
        "RandomPassword": {"result": pulumi.Output.secret(secret)},
        "RandomBytes": {"base64": secret},
        "PrivateKey": {"privateKeyPem": pulumi.Output.secret(secret)},
        "CertRequest": {"certRequestPem": f"request {args.name}"},
        "SelfSignedCert": {"certPem": f"certificate {args.name}"},
        "LocallySignedCert": {"certPem": f"certificate {args.name}"},
        "RemoteImage": {"imageId": image_id(args.inputs.get("name", ""))},
    }
    return made.get(args.typ.rpartition(":")[2], {})


def image_id(reference: str) -> str:
    """Return the id that the recording monitor gives to an image."""
    return f"sha256:{hashlib.sha256(reference.encode()).hexdigest()}"


class Recorder(mocks.MockMonitor):
    """Keeps what the program registers."""

    def __init__(self, deployment: Deployment, provider: Provider) -> None:
        super().__init__(provider)
        self._deployment = deployment

    def RegisterResource(self, request: Any) -> Any:  # noqa: ANN401, N802 - as the monitor is called
        raw = json_format.MessageToDict(request.object)
        self._deployment.resources.append(Declared(request.type, request.name, unmarked(raw), raw, request))
        with _loop():
            return super().RegisterResource(request)  # type: ignore[no-untyped-call]

    def Invoke(self, request: Any) -> Any:  # noqa: ANN401, N802 - as the monitor is called
        with _loop():
            return super().Invoke(request)  # type: ignore[no-untyped-call]

    def RegisterResourceOutputs(self, request: Any) -> Any:  # noqa: ANN401, N802 - as the monitor is called
        if "pulumi:pulumi:Stack" in request.urn:
            self._deployment.raw_exports.update(json_format.MessageToDict(request.outputs))
        return super().RegisterResourceOutputs(request)  # type: ignore[no-untyped-call]


@contextmanager
def _loop() -> Iterator[None]:
    """Give this thread, which is Pulumi's, an event loop; Pulumi would leave its own open."""
    with closing(asyncio.new_event_loop()) as loop:
        asyncio.set_event_loop(loop)
        try:
            yield
        finally:
            asyncio.set_event_loop(None)


def is_secret(value: Any) -> bool:  # noqa: ANN401 - any property
    """Tell whether a property is marked as secret."""
    return isinstance(value, dict) and value.get(rpc._special_sig_key) == rpc._special_secret_sig


def masked(value: Any) -> Any:  # noqa: ANN401 - any property
    """Return a property without what is marked as secret."""
    if is_secret(value):
        return "[secret]"
    if isinstance(value, dict):
        return {key: masked(inner) for key, inner in value.items()}
    return [masked(inner) for inner in value] if isinstance(value, list) else value


def unmarked(value: Any) -> Any:  # noqa: ANN401 - any property
    """Return a property without the marks of secrets, and whole numbers as such."""
    if is_secret(value):
        return unmarked(value["value"])
    if isinstance(value, dict):
        return {key: unmarked(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [unmarked(inner) for inner in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def run_program(
    stack: str,
    config: Mapping[str, str],
    variables: Mapping[str, str],
    placements: Path | None = None,
    earlier: Mapping[str, Any] | None = None,
) -> Deployment:
    """Run the program as it is, for one stack that has what earlier updates made, and return what it declares.

    It is of a clone with a record of placements, or of one that placed nothing.
    """
    placed = placement.read(placements).get(stack)
    deployment = Deployment(stack, placed=placed.name if placed else "", placements=placements)
    run_into(deployment, config, variables, Provider(earlier or {}, {}))
    return deployment


def run_into(
    deployment: Deployment, config: Mapping[str, str], variables: Mapping[str, str], provider: Provider
) -> None:
    """Run the program as it is, and record what it declares until it ends or fails."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PULUMI_CONFIG", json.dumps(dict(config)))
        patch.setattr(placement, "record", lambda _: deployment.placements)
        if not identity.read(ROOT):
            patch.setattr(identity, "read", lambda _: OWNER)
        for name, value in variables.items():
            patch.setenv(name, value)
        with ThreadPoolExecutor(1) as alone:  # neither the tests' event loop nor Pulumi's context of another stack
            alone.submit(asyncio.run, _program(deployment.stack, Recorder(deployment, provider))).result()


async def _program(stack: str, recorder: Recorder) -> None:
    SETTINGS.outputs.clear()  # a program that failed leaves some, of a loop that is closed
    mocks.set_mocks(recorder.mocks, "dashtam", stack, preview=False, monitor=recorder, organization="organization")
    set_root_resource(None)  # type: ignore[arg-type]
    await run_in_stack(_main)


def _main() -> None:
    runpy.run_module("infra.__main__", run_name="__main__")
