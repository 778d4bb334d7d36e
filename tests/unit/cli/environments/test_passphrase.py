from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from cli.core.errors import UserError
from cli.environments import clone, passphrase
from cli.environments.clone import Clone
from cli.pulumi import backend


@pytest.fixture
def lost(repository: Path, data_home: Path) -> Clone:
    """A clone that has state, and no passphrase any more."""
    made = clone.current(repository)
    assert made.home.is_relative_to(data_home)
    stack = made.state_folder / ".pulumi/stacks/dashtam/dev.json"
    stack.parent.mkdir(parents=True)
    stack.touch()
    made.passphrase_file.unlink()
    return made


@pytest.mark.parametrize(
    ("chosen", "blocks"),
    [
        ({}, True),
        ({"PULUMI_CONFIG_PASSPHRASE": "my own"}, False),
        ({"PULUMI_CONFIG_PASSPHRASE": ""}, False),
        ({"PULUMI_CONFIG_PASSPHRASE_FILE": "/my/own"}, False),
        ({"PULUMI_CONFIG_PASSPHRASE_FILE": ""}, True),
        ({"PULUMI_CONFIG_PASSPHRASE_FILE": "{own}"}, True),
    ],
)
def test_only_who_uses_it_is_refused(lost: Clone, chosen: dict[str, str], blocks: bool) -> None:
    environ = {name: value.format(own=lost.passphrase_file) for name, value in chosen.items()}
    assert passphrase.blocks(lost, environ) is blocks


def test_the_remedy_names_no_more_than_the_state(lost: Clone, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(UserError, match=r"passphrase .* is missing") as refused:
        passphrase.require(lost)
    assert str(lost.state_folder) in refused.value.remedy
    assert str(lost.home) not in refused.value.remedy.replace(str(lost.state_folder), "")


def test_one_that_starts_anew_gets_another_and_keeps_the_rest(lost: Clone) -> None:
    snapshot = lost.home / "snapshots/dev/first"
    snapshot.mkdir(parents=True)
    config = lost.root / "Pulumi.dev.yaml"
    before = config.read_text()
    config.write_text(f"{before}encryptionsalt: v1:abc=\n")
    passphrase.remove_unreadable(lost)
    assert clone.current(lost.root) == lost
    assert lost.passphrase_file.exists()
    assert snapshot.is_dir()
    assert config.read_text() == before


def test_a_clone_that_has_it_keeps_token_keys(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert not passphrase.loses_token_keys(clone.current(repository))
    assert capsys.readouterr().err == ""


def test_a_clone_that_lost_it_says_what_that_costs(lost: Clone, capsys: pytest.CaptureFixture[str]) -> None:
    assert passphrase.loses_token_keys(lost)
    assert "linked again" in " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize(
    ("chosen", "state", "forgets"),
    [
        ({}, False, True),
        ({}, True, False),
        ({"PULUMI_CONFIG_PASSPHRASE": "my own"}, False, False),
        ({"PULUMI_BACKEND_URL": "s3://mine"}, False, False),
    ],
)
def test_a_salt_that_nothing_was_encrypted_with_is_forgotten(
    lost: Clone, monkeypatch: pytest.MonkeyPatch, chosen: dict[str, str], state: bool, forgets: bool
) -> None:
    monkeypatch.setattr(backend, "account_home", lambda: lost.root)
    config = lost.root / "Pulumi.dev.yaml"
    config.write_text(f"{config.read_text()}encryptionsalt: v1:abc=\n")
    if not state:
        shutil.rmtree(lost.home)
    here = clone.current(lost.root)
    passphrase.forget_another(here, chosen)
    assert ("encryptionsalt" not in config.read_text()) is forgets
