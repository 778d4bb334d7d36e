from __future__ import annotations

import gc
import json
import os
import sys
from typing import TYPE_CHECKING, Any
from unittest.mock import Mock

import pulumi
import pytest
from pulumi.runtime.proto import language_pb2 as language
from pulumi.runtime.rpc_manager import RPCManager

from infra import language_host

if TYPE_CHECKING:
    from pathlib import Path

REQUEST = language.RunRequest(
    project="dashtam",
    stack="dev",
    pwd="/checkout/infra",
    args=["127.0.0.1:1"],
    config={"dashtam:app": '{"port": 1}'},
    configSecretKeys=["dashtam:key"],
    dryRun=True,
    parallel=4,
    monitor_address="127.0.0.1:2",
    organization="organization",
    info=language.ProgramInfo(root_directory="/checkout", program_directory="/checkout/infra", entry_point="."),
)


@pytest.fixture
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What stands for Pulumi's script."""
    path = tmp_path / language_host.SCRIPT
    path.touch(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "argv", ["before"])
    for name in ("PULUMI_CONFIG", "PULUMI_CONFIG_SECRET_KEYS"):
        monkeypatch.setenv(name, "before")
    return path


@pytest.mark.parametrize(
    ("ending", "response"),
    [
        ("", language.RunResponse()),
        ("raise SystemExit(0)", language.RunResponse()),
        ("raise SystemExit(32)", language.RunResponse(bail=True)),
        ("raise SystemExit(1)", language.RunResponse(error="The program ended with exit status 1.")),
    ],
)
def test_the_scripts_end_is_answered_as_pulumis_own_host_does(
    script: Path, ending: str, response: language.RunResponse
) -> None:
    script.write_text(ending)
    assert language_host.run(REQUEST) == response


def test_without_the_script_the_answer_says_so(script: Path) -> None:
    script.unlink()
    assert language_host.run(REQUEST) == language.RunResponse(error="pulumi-language-python-exec is not on PATH")


def test_the_script_gets_what_pulumis_own_host_gives_it(script: Path, tmp_path: Path) -> None:
    noted = tmp_path / "noted"
    names = ("PULUMI_CONFIG", "PULUMI_CONFIG_SECRET_KEYS")
    script.write_text(
        "import json, os, pathlib, sys\n"
        f"given = [sys.argv[1:], *(os.environ[name] for name in {names})]\n"
        f"pathlib.Path({os.fspath(noted)!r}).write_text(json.dumps(given))"
    )
    language_host.run(REQUEST)
    arguments, config, secret = json.loads(noted.read_text())
    assert arguments == [
        "--monitor=127.0.0.1:2",
        "--engine=127.0.0.1:1",
        "--project=dashtam",
        "--root_directory=/checkout",
        "--stack=dev",
        "--pwd=/checkout/infra",
        "--dry_run=true",
        "--parallel=4",
        "--organization=organization",
        "/checkout/infra",
    ]
    assert json.loads(config) == {"dashtam:app": '{"port": 1}'}
    assert json.loads(secret) == ["dashtam:key"]


async def test_the_sdks_messages_for_debugging_are_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pulumi.log, "debug", pulumi.log.debug)
    monkeypatch.setattr(gc, "disable", Mock())
    engine = Mock()
    monkeypatch.setattr(pulumi.log, "get_engine", lambda: engine)

    async def call() -> None:
        pulumi.log.info("app is placed elsewhere")

    language_host.import_program()
    manager: Any = RPCManager  # untyped
    await manager().do_rpc("register", call)()
    [sent] = engine.Log.mock_calls
    assert sent.args[0].message == "app is placed elsewhere"
