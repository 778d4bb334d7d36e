from __future__ import annotations

from pathlib import Path
from unittest.mock import Mock

import pytest

from cli.core.errors import UserError
from cli.environments import handle
from cli.environments.clone import Clone
from cli.environments.handle import EnvironmentHandle


@pytest.mark.parametrize(
    ("enabled", "message", "remedy"),
    [
        (True, "The sandbox of dev is not running.", "`./dashtam up dev`"),
        (False, "dev has no sandbox.", "Set it to true, then run `./dashtam up dev`."),
    ],
)
def test_a_sandbox_that_is_disabled_is_not_one_that_is_down(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, enabled: bool, message: str, remedy: str
) -> None:
    monkeypatch.setattr(handle, "configuration", Mock(return_value=Mock(sandbox=Mock(enabled=enabled))))
    there = EnvironmentHandle("dev", Clone("me", tmp_path, tmp_path / "home"), Mock(containers=Mock(return_value=[])))
    with pytest.raises(UserError) as raised:
        there.running("sandbox")
    assert raised.value.message == message
    assert remedy in raised.value.remedy


def test_an_unknown_service_has_a_remedy_also_where_no_name_is_close(tmp_path: Path) -> None:
    there = EnvironmentHandle("dev", Clone("me", tmp_path, tmp_path / "home"), Mock(containers=Mock(return_value=[])))
    with pytest.raises(UserError) as raised:
        there.service("xyzzy")
    assert raised.value.remedy == "`./dashtam status dev` lists its services."
