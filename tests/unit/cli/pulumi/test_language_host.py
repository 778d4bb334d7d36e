from __future__ import annotations

import os
from typing import TYPE_CHECKING

import grpc  # type: ignore[import-untyped]
import psutil
from pulumi.runtime.proto import language_pb2 as language
from pulumi.runtime.proto.language_pb2_grpc import LanguageRuntimeStub

from cli.core.paths import ROOT
from cli.pulumi.language_host import started, without_program
from cli.pulumi.process import Pulumi

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.cli.conftest import MakeProgram


def test_it_answers_pulumi_and_ends_with_the_update() -> None:
    with started(os.environ, ROOT) as host:
        [flag] = host.flags()
        channel = grpc.insecure_channel(flag.removeprefix("--client="))
        answer = LanguageRuntimeStub(channel).GetRequiredPackages(language.GetRequiredPackagesRequest(), timeout=30)
        assert list(answer.packages) == []
        [process] = [one for one in psutil.Process().children() if "infra.language_host" in one.cmdline()]
        channel.close()
    assert not process.is_running()


def test_where_it_fails_to_start_pulumi_starts_its_own(tmp_path: Path) -> None:
    with started({**os.environ, "PYTHONPATH": str(tmp_path), "PYTHONHOME": str(tmp_path)}, tmp_path) as host:
        assert host.flags() == []


def test_pulumi_holds_it_as_long_as_it_runs(program: MakeProgram, tmp_path: Path) -> None:
    noted = tmp_path / "noted"
    folder = program("pulumi", f'echo "$@" > {noted}; ls /dev/fd >> {noted}; echo \'{{"preludeEvent": {{}}}}\'')
    pulumi = Pulumi({**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"}, ROOT)
    with pulumi.language_host() as host:
        held = host.lifeline
        assert pulumi.update("up", "test", on_event=lambda _: None, must_end=lambda: False, host=host)
    arguments, *descriptors = noted.read_text().splitlines()
    assert "--client=127.0.0.1:" in arguments
    assert str(held) in descriptors


def test_destroy_learns_from_this_process_that_no_package_is_needed() -> None:
    with without_program() as flag, grpc.insecure_channel(flag.removeprefix("--client=")) as channel:
        host = LanguageRuntimeStub(channel)
        assert list(host.GetRequiredPackages(language.GetRequiredPackagesRequest(), timeout=30).packages) == []
        assert host.GetPluginInfo(language.GetRequiredPackagesRequest(), timeout=30).version == ""


def test_pulumi_is_told_of_it(program: MakeProgram, tmp_path: Path) -> None:
    noted = tmp_path / "noted"
    folder = program("pulumi", f'echo "$@" > {noted}; echo \'{{"preludeEvent": {{}}}}\'')
    pulumi = Pulumi({**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"}, ROOT)
    assert pulumi.update("destroy", "test", on_event=lambda _: None, must_end=lambda: False)
    assert "--client=127.0.0.1:" in noted.read_text()
