from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.verify.running import succeed

if TYPE_CHECKING:
    from tests.verify.checkout import Checkout


def test_keys_are_rotated_while_the_service_runs(checkout: Checkout) -> None:
    first = json.loads(succeed(checkout.dashtam("keys", "rotate", checkout.stack, "--json")))
    second = json.loads(succeed(checkout.dashtam("keys", "rotate", checkout.stack, "--json")))
    assert first["environment"] == checkout.stack
    assert first["key"] != second["key"]
    assert second["retired"] == 1
