from __future__ import annotations

from unittest.mock import Mock

import pytest
from typer.testing import CliRunner

from cli.core.errors import UserError
from cli.environments import handle
from cli.main import app
from tests.unit.cli.conftest import MakeContainer


def test_what_is_not_published_is_told(monkeypatch: pytest.MonkeyPatch, container: MakeContainer) -> None:
    there = Mock(running=Mock(return_value=container(ports={"8000/tcp": []})))
    monkeypatch.setattr(handle, "of", Mock(return_value=there))
    with pytest.raises(UserError, match="The app of ci is not published") as raised:
        CliRunner().invoke(app, ["open", "ci", "docs"], catch_exceptions=False)
    assert "./dashtam shell ci app" in raised.value.remedy
