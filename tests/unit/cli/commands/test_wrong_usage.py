"""Command lines that make no sense, and environments that are not up: the exit status and what is printed."""

from __future__ import annotations

import sys
from pathlib import Path
from unittest.mock import Mock

import pytest

from cli import main
from cli.commands import graph as graph_command
from cli.core.paths import ROOT
from cli.environments import clone, configuration, handle
from cli.environments.clone import Clone
from cli.operations import session
from cli.operations.graph.model import Graph


@pytest.fixture(autouse=True)
def nothing_is_up(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A clone that has no state, and an engine that has no containers."""
    here = Clone("me", ROOT, tmp_path / "clone")
    here.state_folder.mkdir(parents=True)
    engine = Mock()
    engine.api.containers.return_value = []
    engine.api.networks.return_value = []
    monkeypatch.setattr(clone, "current", lambda: here)
    monkeypatch.setattr(handle, "connect", lambda: engine)
    no_outputs = Mock(outputs=Mock(return_value=None))
    monkeypatch.setattr(
        session, "prepare", Mock(return_value=Mock(clone=here, environ={}, pulumi=no_outputs, client=engine))
    )
    monkeypatch.setenv("PULUMI_BACKEND_URL", here.backend_url)


def _run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["dashtam", *arguments])
    with pytest.raises(SystemExit) as raised:
        main.main()
    assert isinstance(raised.value.code, int)
    return raised.value.code


@pytest.mark.parametrize("line", ["-h", "up -h", "snapshot list -h", "test -h", "exec -h"])
def test_the_short_option_prints_the_help(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], line: str
) -> None:
    assert _run(monkeypatch, *line.split()) == 0
    assert "Usage: ./dashtam" in capsys.readouterr().out


NO_ENVIRONMENT = "There is no environment 'nowhere'."
NO_SERVICE = "There is no service 'web'."


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("status nowhere", NO_ENVIRONMENT),
        ("drift nowhere", NO_ENVIRONMENT),
        ("env nowhere", NO_ENVIRONMENT),
        ("env --show-secrets", "needs an environment. What to do: ./dashtam env dev --show-secrets"),
        ("graph nowhere", NO_ENVIRONMENT),
        ("graph dev --format png", "'png' is not one of 'svg', 'mermaid'"),
        ("export compose nowhere", NO_ENVIRONMENT),
        ("logs nowhere", NO_ENVIRONMENT),
        ("logs dev --since yesterday", "such as 2026-11-02T08:30:00Z. What to do: ./dashtam logs dev --since 10m"),
        ("logs dev --grep (a", "'(a' is not a valid regular expression."),
        ("logs dev --tail -1", "'--tail' / '-n': it must be greater than or equal to 0"),
        ("logs dev --tail x", "'--tail' / '-n': it must be a valid integer What to do"),
        ("open dev home", "'PAGE': 'home' is not one of 'app', 'docs', 'callback', 'sandbox'"),
        ("seed dev /nowhere/file.sql", "/nowhere/file.sql can't be read. No such file or directory What to do"),
        ("logs dev web", NO_SERVICE),
        ("exec dev app --", "There is no command to run."),
        ("exec dev web -- true", NO_SERVICE),
        ("shell nowhere", NO_ENVIRONMENT),
        ("restart nowhere", NO_ENVIRONMENT),
        ("restart dev web", NO_SERVICE),
        ("rebuild dev postgres", "Images are built for app, callback, sandbox."),
        ("open nowhere", NO_ENVIRONMENT),
    ],
)
def test_what_makes_no_sense_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], line: str, said: str
) -> None:
    assert _run(monkeypatch, *line.split()) == 64
    printed = capsys.readouterr()
    assert said in " ".join(printed.err.replace("│", " ").split())
    assert printed.out == ""


def test_the_environments_that_there_are_are_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run(monkeypatch, "status", "nowhere") == 64
    assert {"ci", "dev", "test"} <= set(capsys.readouterr().err.replace(",", " ").replace(".", " ").split())


@pytest.mark.parametrize(
    "line", ["env dev", "graph dev", "export compose dev", "open dev", "shell dev", "logs dev", "restart dev"]
)
def test_an_environment_that_is_not_up_is_named_with_the_way_out(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], line: str
) -> None:
    assert _run(monkeypatch, *line.split()) == 1
    printed = capsys.readouterr()
    assert "dev is not running." in printed.err
    assert "What to do: Bring it up first: `./dashtam up dev`." in " ".join(printed.err.split())
    assert printed.out == ""


def test_a_picture_that_can_not_be_written(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    empty = Graph("dev", "dashtam-dev-network", internal=False, services=[], uses=[])
    monkeypatch.setattr(graph_command, "_look", lambda _environment: empty)
    file = tmp_path / "nowhere" / "x.mmd"
    assert _run(monkeypatch, "graph", "dev", "-o", str(file)) == 64
    assert "x.mmd can't be written." in "".join(capsys.readouterr().err.splitlines())


@pytest.mark.parametrize("line", ["env bad", "destroy bad --yes"])
def test_a_config_that_pulumi_can_not_read_is_named_before_pulumi_is_asked(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str], line: str
) -> None:
    (tmp_path / "Pulumi.bad.yaml").write_text("config: {a:b: 1, a:b: 2}\n")
    monkeypatch.setattr(configuration.require_readable, "__defaults__", (tmp_path,))
    monkeypatch.setattr(handle, "require", Mock())
    assert _run(monkeypatch, *line.split()) == 1
    said = capsys.readouterr().err
    assert "Pulumi.bad.yaml is not valid." in said
    assert "line 1: a:b is there already" in said
