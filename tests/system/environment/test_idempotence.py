"""An update of what is up changes nothing: not on the engine, not in the state, not in git."""

from __future__ import annotations

from tests.system.checkout import Checkout
from tests.system.environments import Environment
from tests.system.running import run, succeed


def test_an_update_changes_nothing_as_often_as_it_is_run(further: Environment, checkout: Checkout) -> None:
    checkout.up()  # what ran before may have left an edit behind
    before = further.ids()
    update = ("up", "--stack", checkout.stack, "--yes", "--skip-preview", "--expect-no-changes")
    succeed(checkout.pulumi(*update))
    checkout.up()
    # What Docker has is looked at too.
    succeed(checkout.pulumi(*update, "--refresh"))
    assert further.ids() == before
    assert checkout.status() == ""


def test_plain_pulumi_preview_of_ci_finds_nothing(ci: Environment) -> None:
    succeed(run(["pulumi", "preview", "--stack", "ci", "--expect-no-changes", "--non-interactive"], cwd=ci.root))


def test_a_real_edit_still_shows(checkout: Checkout) -> None:
    checkout.configure(postgres={"memory": "1100m"})
    try:
        assert checkout.status().split() == ["M", checkout.config_file.name]
    finally:
        checkout.configure()
    assert checkout.status() == ""
