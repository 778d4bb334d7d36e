from __future__ import annotations

import json
from pathlib import Path

import pytest

from cli.environments import tool_environment
from cli.environments.clone import Clone

BACKEND = "PULUMI_BACKEND_URL"
PASSPHRASE = "PULUMI_CONFIG_PASSPHRASE"
PASSPHRASE_FILE = "PULUMI_CONFIG_PASSPHRASE_FILE"


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    return Clone("0123456789", tmp_path / "root", tmp_path / "clones/0123456789")


@pytest.fixture
def another(tmp_path: Path) -> Clone:
    return Clone("abcdefabcd", tmp_path / "another", tmp_path / "clones/abcdefabcd")


@pytest.fixture
def clean(tmp_path: Path) -> dict[str, str]:
    """The environment of a user without a login."""
    return {"PULUMI_CREDENTIALS_PATH": str(tmp_path), "LANG": "C"}


def test_a_clone_has_its_own_state_and_passphrase(clone: Clone, clean: dict[str, str]) -> None:
    assert tool_environment.of(clone, clean) == {
        **clean,
        "DASHTAM_CLONE": "0123456789",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        BACKEND: (clone.home / "state").as_uri(),
        PASSPHRASE_FILE: str(clone.home / "passphrase"),
    }


@pytest.mark.parametrize(
    ("name", "value", "left_alone"),
    [
        (BACKEND, "s3://mine", BACKEND),
        (PASSPHRASE, "mine", PASSPHRASE_FILE),
        (PASSPHRASE, "", PASSPHRASE_FILE),
        (PASSPHRASE_FILE, "/mine", PASSPHRASE_FILE),
    ],
)
def test_what_the_user_set_is_left_alone(
    clone: Clone, clean: dict[str, str], name: str, value: str, left_alone: str
) -> None:
    assert tool_environment.of(clone, {**clean, name: value}).get(left_alone) == (value if name == left_alone else None)


def test_a_users_login_is_respected(clone: Clone, clean: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "credentials.json").write_text(json.dumps({"current": "https://example.invalid"}))
    assert BACKEND not in tool_environment.of(clone, clean)


def test_the_projects_backend_is_respected(clone: Clone, clean: dict[str, str]) -> None:
    clone.root.mkdir()
    (clone.root / "Pulumi.yaml").write_text("name: dashtam\nbackend:\n  url: s3://ours\n")
    assert BACKEND not in tool_environment.of(clone, clean)


def test_what_another_clones_env_set_directs_nothing(clone: Clone, another: Clone, clean: dict[str, str]) -> None:
    assert tool_environment.of(clone, tool_environment.of(another, clean)) == tool_environment.of(clone, clean)


def test_what_a_clone_of_another_data_home_set_directs_nothing(
    clone: Clone, clean: dict[str, str], tmp_path: Path
) -> None:
    another = Clone("abcdefabcd", tmp_path / "another", tmp_path / "other home/clones/abcdefabcd")
    assert tool_environment.of(clone, tool_environment.of(another, clean)) == tool_environment.of(clone, clean)


@pytest.mark.parametrize(("name", "value"), [(BACKEND, "file:///shared"), (PASSPHRASE_FILE, "/shared")])
def test_what_the_user_chose_in_another_clones_shell_is_respected(
    clone: Clone, another: Clone, clean: dict[str, str], name: str, value: str
) -> None:
    assert tool_environment.of(clone, tool_environment.of(another, {**clean, name: value}))[name] == value


def test_a_backend_that_is_another_clones_may_be_chosen(clone: Clone, another: Clone, clean: dict[str, str]) -> None:
    assert tool_environment.of(clone, {**clean, BACKEND: another.backend_url})[BACKEND] == another.backend_url


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ({"DOCKER_HOST": "unix:///run/mine.sock", "DOCKER_CONTEXT": "mine"}, {"DOCKER_HOST": "unix:///run/mine.sock"}),
        ({"DOCKER_CONTEXT": "mine"}, {"DOCKER_CONTEXT": "mine"}),
    ],
)
def test_no_context_leads_pulumi_past_the_chosen_engine(
    clone: Clone, clean: dict[str, str], given: dict[str, str], kept: dict[str, str]
) -> None:
    found = tool_environment.of(clone, {**clean, **given})
    assert {name: value for name, value in found.items() if name.startswith("DOCKER_")} == kept


def test_changes_are_what_differs(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(tool_environment.changes({})):
        monkeypatch.delenv(name)
    monkeypatch.setenv("SAME", "a")
    monkeypatch.setenv("OTHER", "b")
    monkeypatch.setenv("GONE", "c")
    assert tool_environment.changes({"SAME": "a", "OTHER": "c", "NEW": "d"}) == {"OTHER": "c", "NEW": "d", "GONE": None}


@pytest.mark.parametrize(
    ("given", "local"),
    [
        ({}, None),
        ({"NO_PROXY": "intranet"}, "intranet"),
        ({"https_proxy": "http://proxy:1"}, "localhost,127.0.0.1,::1"),
        ({"ALL_PROXY": "http://proxy:1", "NO_PROXY": "intranet"}, "intranet,localhost,127.0.0.1,::1"),
        ({"HTTP_PROXY": "http://proxy:1", "no_proxy": "127.0.0.1,a"}, "127.0.0.1,a,localhost,::1"),
    ],
)
def test_no_proxy_comes_between_what_is_on_this_machine(clone: Clone, given: dict[str, str], local: str | None) -> None:
    found = tool_environment.of(clone, given)
    assert found.get("NO_PROXY") == local
    assert tool_environment.of(clone, found) == found
