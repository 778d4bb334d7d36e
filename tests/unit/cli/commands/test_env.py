from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast
from unittest.mock import Mock

import pytest
from typer.testing import CliRunner

from cli.commands import env
from cli.core.errors import UserError
from cli.operations import session

if TYPE_CHECKING:
    from cli.operations.session import Session


def test_a_checkout_that_path_can_not_name_gets_no_shell() -> None:
    here = cast("Session", SimpleNamespace(clone=SimpleNamespace(root=Path("/work/a:b"))))
    with pytest.raises(UserError, match="No shell can be set up for /work/a:b") as raised:
        env._tools(here)
    assert "separates the folders of PATH" in raised.value.cause


def test_a_shell_for_pulumi_needs_no_images(monkeypatch: pytest.MonkeyPatch) -> None:
    failed = UserError("redis can't be pulled.", remedy="Connect to the registry.")
    monkeypatch.setattr(session, "prepare", Mock(return_value=Mock(require_images=Mock(side_effect=failed))))
    monkeypatch.setattr(env, "_tools", lambda _: {"PATH": "/bin"})
    done = CliRunner().invoke(env.app, catch_exceptions=False)
    assert done.stdout == "export PATH=/bin\n"
    assert "redis can't be pulled.\nWhat to do: Connect to the registry." in done.stderr
