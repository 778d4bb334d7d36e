from __future__ import annotations

from pathlib import Path
from unittest.mock import Mock

import pytest
from typer.testing import CliRunner

from cli import placements, restart, target
from cli.commands import restart as command
from cli.main import app
from cli.snapshots import switch


@pytest.mark.parametrize(("finished", "chosen"), [(False, ["redis"]), (True, None)])
def test_a_restore_that_was_broken_off_is_finished_first_and_all_restarted(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, finished: bool, chosen: list[str] | None
) -> None:
    there = Mock(environment="dev", clone=Mock(home=tmp_path))
    there.chosen.return_value = [Mock(component="redis")]
    order = Mock()
    order.finish.return_value = finished
    monkeypatch.setattr(target, "of", Mock(return_value=there))
    monkeypatch.setattr(command, "connect", Mock())
    monkeypatch.setattr(placements, "naming", Mock())
    monkeypatch.setattr(switch, "finish", order.finish)
    monkeypatch.setattr(restart, "restart", order.restart)
    done = CliRunner().invoke(app, ["restart", "dev", "redis"], catch_exceptions=False)
    assert done.exit_code == 0
    assert ("broken off; it is finished now" in done.stderr) is finished
    assert [one[0] for one in order.mock_calls] == ["finish", "restart"]
    there.chosen.assert_called_once_with(chosen)
