"""`up` where nothing changed runs no update.

That it runs one where anything may have changed is in tests/unit/cli/operations/test_unchanged.py, and for real where
tests need it: test_named.py edits a config, test_drift.py changes containers and tests/system/environment/test_harm.py
stops and removes them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.system.running import succeed

if TYPE_CHECKING:
    from tests.system.checkout import Checkout


def _updates(checkout: Checkout) -> int:
    """Return how many updates Pulumi has run of the environment."""
    return len(list((checkout.backend / f".pulumi/history/dashtam/{checkout.stack}").glob("*.history.json")))


def test_nothing_to_do_runs_no_update_and_prints_the_same(small: Checkout) -> None:
    small.up()
    before = _updates(small)
    assert before
    first, second = (succeed(small.dashtam("up", small.stack, *small.services, "--json")) for _ in range(2))
    assert first == second
    assert _updates(small) == before
