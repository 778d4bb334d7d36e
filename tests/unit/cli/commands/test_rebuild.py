from __future__ import annotations

from unittest.mock import Mock

import pytest
from typer.testing import CliRunner

from cli.commands import rebuild
from cli.operations import session


@pytest.mark.parametrize(("options", "timeout"), [([], None), (["--wait-timeout", "1m30s"], 90.0)])
def test_the_time_to_wait_is_the_users(
    monkeypatch: pytest.MonkeyPatch, options: list[str], timeout: float | None
) -> None:
    monkeypatch.setattr(session, "prepare", Mock())
    for name in ("require_configured", "configuration", "report"):
        monkeypatch.setattr(rebuild, name, Mock())
    monkeypatch.setattr(rebuild, "images", Mock(chosen=Mock(return_value={})))
    monkeypatch.setattr(rebuild, "environments_and_services", lambda words: (words, []))
    monkeypatch.setattr(rebuild, "up", up := Mock())
    assert CliRunner().invoke(rebuild.app, ["dev", *options], catch_exceptions=False).exit_code == 0
    assert up.call_args.kwargs == {"timeout": timeout}
