"""An update of what is up changes nothing: not on the engine, not in the state, not in git."""

from __future__ import annotations

import pytest

from tests.system.checkout import Checkout
from tests.system.environments import Environment
from tests.system.running import run, succeed

TIMES = 3


@pytest.mark.parametrize("time", range(TIMES))
def test_plain_pulumi_up_changes_nothing(further: Environment, checkout: Checkout, time: int) -> None:
    before = further.ids()
    succeed(checkout.pulumi("up", "--stack", checkout.stack, "--yes", "--skip-preview", "--expect-no-changes"))
    assert further.ids() == before, time


def test_dashtam_up_changes_nothing(further: Environment, checkout: Checkout) -> None:
    before = further.ids()
    checkout.up()
    assert further.ids() == before


def test_a_preview_with_refresh_finds_nothing(further: Environment, checkout: Checkout) -> None:
    assert further.ids()
    succeed(checkout.pulumi("preview", "--stack", checkout.stack, "--refresh", "--expect-no-changes"))


def test_plain_pulumi_preview_of_ci_finds_nothing(ci: Environment) -> None:
    succeed(run(["pulumi", "preview", "--stack", "ci", "--expect-no-changes", "--non-interactive"], cwd=ci.root))


@pytest.mark.parametrize("stack", ["dev", "test", "ci"])
def test_a_stack_that_never_was_up_can_be_previewed(checkout: Checkout, stack: str) -> None:
    said = succeed(checkout.pulumi("preview", "--stack", stack))
    assert "to create" in said


@pytest.mark.parametrize(
    "arguments", [("up",), ("env",), ("status",), ("status", "--json"), ("doctor",), ("images",), ("--help",)]
)
def test_git_holds_nothing_for_changed(further: Environment, checkout: Checkout, arguments: tuple[str, ...]) -> None:
    assert further.ids()
    checkout.dashtam(*arguments, *([checkout.stack] if arguments == ("up",) else []))
    assert checkout.status() == ""


def test_a_real_edit_still_shows(further: Environment, checkout: Checkout) -> None:
    assert further.ids()
    checkout.configure(postgres={"memory": "1100m"})
    try:
        assert checkout.status().split() == ["M", checkout.config_file.name]
    finally:
        checkout.configure()
    assert checkout.status() == ""
