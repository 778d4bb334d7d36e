from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest

from cli.commands import env
from cli.core.errors import UserError

if TYPE_CHECKING:
    from cli.operations.session import Session


def test_a_checkout_that_path_can_not_name_gets_no_shell() -> None:
    here = cast("Session", SimpleNamespace(clone=SimpleNamespace(root=Path("/work/a:b"))))
    with pytest.raises(UserError, match="No shell can be set up for /work/a:b") as raised:
        env._tools(here)
    assert "separates the folders of PATH" in raised.value.cause
