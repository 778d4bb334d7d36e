from __future__ import annotations

import json
from pathlib import Path

import pytest

from cli import environment
from cli.clone import Clone

OWN_BACKEND = "PULUMI_BACKEND_URL"
OWN_PASSPHRASE = "PULUMI_CONFIG_PASSPHRASE_FILE"


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    return Clone("0123456789", tmp_path / "root", tmp_path / "home")


def _variables(clone: Clone, tmp_path: Path, **environ: str) -> dict[str, str]:
    return environment.pulumi_variables(clone, {"PULUMI_HOME": str(tmp_path), **environ})


def test_a_clone_has_its_own_state_and_passphrase(clone: Clone, tmp_path: Path) -> None:
    variables = _variables(clone, tmp_path)
    assert variables["DASHTAM_CLONE"] == "0123456789"
    assert variables["DASHTAM_PLACEMENTS"] == str(tmp_path / "home/placements.json")
    assert variables[OWN_BACKEND] == (tmp_path / "home/state").as_uri()
    assert variables[OWN_PASSPHRASE] == str(tmp_path / "home/passphrase")


@pytest.mark.parametrize(
    ("name", "left_alone"),
    [
        ("PULUMI_BACKEND_URL", OWN_BACKEND),
        ("PULUMI_CONFIG_PASSPHRASE", OWN_PASSPHRASE),
        ("PULUMI_CONFIG_PASSPHRASE_FILE", OWN_PASSPHRASE),
    ],
)
def test_what_the_user_set_is_left_alone(clone: Clone, tmp_path: Path, name: str, left_alone: str) -> None:
    assert left_alone not in _variables(clone, tmp_path, **{name: "mine"})


def test_a_users_login_is_respected(clone: Clone, tmp_path: Path) -> None:
    (tmp_path / "credentials.json").write_text(json.dumps({"current": "https://example.invalid"}))
    assert OWN_BACKEND not in _variables(clone, tmp_path)


@pytest.mark.parametrize("content", ["", "{}", '{"current": ""}', "no json"])
def test_no_login_is_none(tmp_path: Path, content: str) -> None:
    (tmp_path / "credentials.json").write_text(content)
    assert environment.logged_in({"PULUMI_HOME": str(tmp_path)}) is None


def test_credentials_have_a_place_of_their_own(tmp_path: Path) -> None:
    (tmp_path / "credentials.json").write_text('{"current": "file://~"}')
    environ = {"PULUMI_CREDENTIALS_PATH": str(tmp_path), "PULUMI_HOME": "/nowhere"}
    assert environment.logged_in(environ) == "file://~"


def test_changes_are_what_differs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAME", "a")
    monkeypatch.setenv("OTHER", "b")
    assert environment.changes({"SAME": "a", "OTHER": "c", "NEW": "d"}) == {"OTHER": "c", "NEW": "d"}
