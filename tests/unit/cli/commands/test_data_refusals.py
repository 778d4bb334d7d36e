"""Commands that remove, keep or bring back data, where what they are given makes no sense: nothing is touched."""

from __future__ import annotations

import sys
from pathlib import Path
from unittest.mock import Mock

import pytest

from cli import main
from cli.commands import clean
from cli.core.paths import ROOT
from cli.environments import clone, handle
from cli.environments.clone import Clone
from cli.operations import session

NO_ENVIRONMENT = "There is no environment 'nowhere'."


@pytest.fixture(autouse=True)
def engine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Mock:
    """An engine on which there is nothing, for a clone that has no state."""
    here = Clone("me", ROOT, tmp_path / "clone")
    here.state_folder.mkdir(parents=True)
    made = Mock()
    made.api.containers.return_value = made.api.networks.return_value = []
    made.api.volumes.return_value = {"Volumes": None}
    monkeypatch.setattr(clone, "current", lambda: here)
    for module in (clean, handle):
        monkeypatch.setattr(module, "connect", lambda: made)
    monkeypatch.setattr(session, "prepare", Mock(return_value=Mock(clone=here, environ={}, client=made)))
    monkeypatch.setenv("PULUMI_BACKEND_URL", here.backend_url)
    return made


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("up nowhere", NO_ENVIRONMENT),
        ("up nowhere --name feature-x", NO_ENVIRONMENT),
        ("up dev test --name feature-x", "--name needs exactly one environment."),
        ("up dev test --name feature-x", "What to do: ./dashtam up dev --name feature-x"),
        ("down nowhere", NO_ENVIRONMENT),
        ("destroy nowhere --yes", NO_ENVIRONMENT),
        ("certs nowhere", NO_ENVIRONMENT),
        ("seed nowhere", NO_ENVIRONMENT),
        ("keys rotate nowhere", NO_ENVIRONMENT),
        ("backup nowhere dev.backup", NO_ENVIRONMENT),
        ("restore nowhere dev.backup --yes", NO_ENVIRONMENT),
        ("restore dev -", "Standard input is the backup, so it can't answer the question."),
        ("clean --json", "Add --yes to remove, or --dry-run to list."),
        ("snapshot create nowhere", NO_ENVIRONMENT),
        ("snapshot restore dev one --yes", "dev has no snapshot 'one'."),
        ("snapshot delete dev one", "dev has no snapshot 'one'."),
    ],
)
def test_it_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], engine: Mock, line: str, said: str
) -> None:
    monkeypatch.setattr(sys, "argv", ["dashtam", *line.split()])
    with pytest.raises(SystemExit) as raised:
        main.main()
    printed = capsys.readouterr()
    assert raised.value.code == 64
    assert said in " ".join(printed.err.split())
    assert (printed.out == "") is ("--json" not in line)
    asked = {name for name, *_ in engine.api.mock_calls}
    assert asked <= {"containers", "networks", "volumes"}


def test_for_data_in_memory_a_backup_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["dashtam", "snapshot", "create", "test"])
    with pytest.raises(SystemExit) as raised:
        main.main()
    assert raised.value.code == 1
    assert "./dashtam backup test FILE" in " ".join(capsys.readouterr().err.split())
