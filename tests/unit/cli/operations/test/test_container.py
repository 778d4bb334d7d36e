from __future__ import annotations

import io
import json
import sys
import tarfile
from http import HTTPStatus
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
from docker.errors import APIError

from cli.core.errors import UserError
from cli.engine import streams
from cli.operations.test import container
from infra.naming import Naming
from infra.outputs import StackOutputs
from tests.unit.cli.engine_double import Engine, refused
from tests.unit.infra.test_outputs import DOCUMENT, SECRETS

if TYPE_CHECKING:
    from collections.abc import Iterator

NAMING = Naming("test", "me")
NAME = "dashtam-test-tests"
READY = StackOutputs.model_validate({**DOCUMENT, "images": {**DOCUMENT["images"], "tests": "tests:1"}})


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return Engine(tmp_path)


@pytest.fixture
def reports(tmp_path: Path) -> Path:
    folder = tmp_path / "kept" / "reports"
    folder.mkdir(parents=True)
    return folder


def _run(engine: Engine, script: str, reports: Path | None = None) -> int:
    return container.run(engine.client, READY, NAMING, ["sh", "-c", script], reports)


def _nothing_stays(engine: Engine) -> bool:
    return (engine.containers, engine.volumes, engine.processes) == ({}, {}, {})


@pytest.mark.parametrize("status", [0, 1, 3])
def test_what_it_prints_is_shown_and_its_status_returned(
    engine: Engine, capfdbinary: pytest.CaptureFixture[bytes], status: int
) -> None:
    assert _run(engine, f"echo out; echo said >&2; printf '\\377\\n'; exit {status}") == status
    assert capfdbinary.readouterr().out == b"out\nsaid\n\xff\n"
    assert _nothing_stays(engine)


def test_the_outputs_reach_it_through_its_standard_input_alone(
    engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    documents: list[str] = []
    engine.at["archive", "made-1"] = lambda: documents.append(json.dumps(engine.containers["made-1"]))
    assert _run(engine, 'cat "$DASHTAM_OUTPUTS_FILE"; read -r more || exit 7', reports=engine.root) == 7
    assert json.loads(capsys.readouterr().out) == json.loads(READY.revealed())
    [document] = documents
    assert NAME in document
    assert [name for name, secret in SECRETS.items() if secret in document] == []
    assert "hidden-word" not in document


def test_it_is_in_the_environment_s_network_and_may_do_little(engine: Engine) -> None:
    documents: list[dict[str, object]] = []
    engine.at["archive", "made-1"] = lambda: documents.append(engine.containers["made-1"])
    assert _run(engine, "true", reports=engine.root) == 0
    [document] = documents
    assert document["NetworkSettings"] == {"Ports": {}, "Networks": {"dashtam-test-network": {}}}
    assert document["HostConfig"] == {
        "ReadonlyRootfs": True,
        "CapDrop": ["ALL"],
        "SecurityOpt": ["no-new-privileges:true"],
        "Memory": container.MEMORY,
        "Tmpfs": {"/tmp": "rw,nosuid,nodev,mode=1777"},  # noqa: S108 - the container's own
    }


REPORT = """
mkdir /srv/reports/deep
echo junit > /srv/reports/junit.xml
echo coverage > /srv/reports/deep/coverage.xml
ln -s /etc/hostname /srv/reports/link
exit 1
"""


def test_reports_are_kept_after_failures_too(engine: Engine, reports: Path) -> None:
    assert _run(engine, REPORT, reports) == 1
    assert {one.name: one.read_text() for one in reports.iterdir()} == {
        "junit.xml": "junit\n",
        "coverage.xml": "coverage\n",
    }
    assert _nothing_stays(engine)


def test_a_report_is_written_into_the_folder_whatever_its_name(
    engine: Engine, reports: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def archive(*_: object) -> Iterator[bytes]:
        whole = io.BytesIO()
        with tarfile.open(fileobj=whole, mode="w") as files:
            for name in ("../up.xml", f"{reports.parent}/absolute.xml"):
                files.addfile(tarfile.TarInfo(name))
        yield whole.getvalue()

    monkeypatch.setattr(streams, "archive", archive)
    assert _run(engine, "true", reports) == 0
    assert {one.relative_to(reports.parent).as_posix() for one in reports.parent.rglob("*.xml")} == {
        "reports/up.xml",
        "reports/absolute.xml",
    }


def test_without_a_folder_for_them_reports_are_forgotten(engine: Engine) -> None:
    assert _run(engine, "echo junit > /srv/reports/junit.xml") == 0
    assert _nothing_stays(engine)


def test_one_that_can_not_start_is_removed(engine: Engine) -> None:
    def refuse() -> None:
        raise refused(HTTPStatus.INTERNAL_SERVER_ERROR, "no cgroup")

    engine.at["start", "made-1"] = refuse
    with pytest.raises(APIError, match="no cgroup"):
        _run(engine, "true")
    assert _nothing_stays(engine)


def test_an_interrupted_one_is_ended_and_removed(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(_: bytes) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(sys, "stdout", SimpleNamespace(buffer=SimpleNamespace(write=interrupt), flush=lambda: None))
    with pytest.raises(KeyboardInterrupt):
        _run(engine, "echo on; exec sleep 600")
    assert _nothing_stays(engine)


def test_what_a_killed_run_left_is_replaced(engine: Engine, capfd: pytest.CaptureFixture[str]) -> None:
    engine.run("tests", "test")
    assert _run(engine, "echo again") == 0
    assert capfd.readouterr().out == "again\n"
    assert _nothing_stays(engine)


def test_an_engine_that_refuses_is_told(engine: Engine) -> None:
    def refuse() -> None:
        raise refused(HTTPStatus.NOT_FOUND, "No such image: tests:1")

    engine.at["create", NAME] = refuse
    with pytest.raises(UserError, match="dashtam-test-tests can't be made") as raised:
        _run(engine, "true")
    assert raised.value.cause == "No such image: tests:1"


def test_an_environment_without_an_image_for_them_is_told_how_to_get_one(engine: Engine) -> None:
    outputs = StackOutputs.model_validate(DOCUMENT)
    with pytest.raises(UserError, match="test has no image that runs tests") as raised:
        container.run(engine.client, outputs, NAMING, ["true"])
    assert "`dashtam:tests: {image: true}` to Pulumi.test.yaml" in raised.value.remedy
    assert _nothing_stays(engine)
