from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.system.running import succeed

if TYPE_CHECKING:
    from tests.system.checkout import Checkout
    from tests.system.commands.contents import Contents

LINKED = ("rotated-1", "rotated-2", "rotated-3")


def test_keys_are_rotated_while_the_service_runs(checkout: Checkout, contents: Contents) -> None:
    before = contents.accounts(*LINKED)
    first = json.loads(succeed(checkout.dashtam("keys", "rotate", checkout.stack, "--json")))
    second = json.loads(succeed(checkout.dashtam("keys", "rotate", checkout.stack, "--json")))
    assert first["environment"] == checkout.stack
    assert first["key"] != second["key"]
    assert first["connections"] == second["connections"] == len(before) >= len(LINKED)
    assert (second["retired"], second["unreadable"]) == (1, 0)
    assert contents.accounts() == before
