"""An update of what is up changes nothing: not on the engine, not in the state, not in git."""

from __future__ import annotations

import json

import pytest

from tests.system.checkout import Checkout
from tests.system.environments import Environment
from tests.system.running import run, succeed

COMMANDS = (("env",), ("status",), ("status", "--json"), ("images", "list"), ("--help",))


@pytest.fixture(scope="module", autouse=True)
def settled(checkout: Checkout) -> None:
    """An update that may change something comes first: what ran before may have left an edit behind."""
    checkout.configure()
    checkout.up()


def test_plain_pulumi_up_changes_nothing_as_often_as_it_is_run(further: Environment, checkout: Checkout) -> None:
    before = further.ids()
    for _ in range(2):
        succeed(checkout.pulumi("up", "--stack", checkout.stack, "--yes", "--skip-preview", "--expect-no-changes"))
        assert further.ids() == before


def test_dashtam_up_changes_nothing(further: Environment, checkout: Checkout) -> None:
    before = further.ids()
    checkout.up()
    assert further.ids() == before
    assert checkout.status() == ""


def test_a_preview_with_refresh_finds_nothing(further: Environment, checkout: Checkout) -> None:
    assert further.ids()
    succeed(checkout.pulumi("preview", "--stack", checkout.stack, "--refresh", "--expect-no-changes"))


def test_plain_pulumi_preview_of_ci_finds_nothing(ci: Environment) -> None:
    succeed(run(["pulumi", "preview", "--stack", "ci", "--expect-no-changes", "--non-interactive"], cwd=ci.root))


def test_a_stack_that_never_was_up_can_be_previewed(checkout: Checkout) -> None:
    said = succeed(checkout.pulumi("preview", "--stack", "dev"))
    assert "to create" in said
    assert checkout.status() == ""


def test_no_command_changes_what_git_tracks(further: Environment, checkout: Checkout) -> None:
    assert further.ids()
    found = {words: (checkout.dashtam(*words).returncode, checkout.status()) for words in COMMANDS}
    assert found == dict.fromkeys(COMMANDS, (0, ""))


def test_nor_does_a_look_at_the_machine(further: Environment, checkout: Checkout) -> None:
    assert further.ids()
    looked = checkout.dashtam("doctor", "--json")
    # What it finds is this machine's matter; that it came to its end is not.
    findings = [finding["ok"] for finding in json.loads(looked.stdout)["findings"]]
    assert looked.returncode == (0 if all(findings) else 2)
    assert len(findings) > 5
    assert checkout.status() == ""


def test_a_real_edit_still_shows(further: Environment, checkout: Checkout) -> None:
    assert further.ids()
    checkout.configure(postgres={"memory": "1100m"})
    try:
        assert checkout.status().split() == ["M", checkout.config_file.name]
    finally:
        checkout.configure()
    assert checkout.status() == ""
