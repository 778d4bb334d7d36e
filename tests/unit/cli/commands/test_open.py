from __future__ import annotations

import webbrowser
from unittest.mock import Mock

import pytest
from typer.testing import CliRunner

from cli.commands import open as open_command
from cli.core.errors import UserError
from cli.environments import handle, states
from cli.main import app
from cli.pulumi.stack_state import Resource, StackState
from tests.unit.cli.conftest import MakeContainer


@pytest.mark.parametrize("internal", [True, False])
def test_what_is_not_published_is_told(
    monkeypatch: pytest.MonkeyPatch, container: MakeContainer, internal: bool
) -> None:
    there = Mock(running=Mock(return_value=container(ports={"8000/tcp": []})))
    there.name = "ci"
    monkeypatch.setattr(handle, "of", Mock(return_value=there))
    monkeypatch.setattr(open_command, "configuration", Mock(return_value=Mock(network=Mock(internal=internal))))
    with pytest.raises(UserError, match="The app of ci is not published") as raised:
        CliRunner().invoke(app, ["open", "ci", "docs"], catch_exceptions=False)
    assert "./dashtam shell ci app" in raised.value.remedy
    # An internal network publishes nothing.
    assert ("set dashtam:app.port in Pulumi.ci.yaml" in raised.value.remedy) is not internal


def test_the_page_is_where_the_outputs_say(monkeypatch: pytest.MonkeyPatch, container: MakeContainer) -> None:
    there = Mock(running=Mock(return_value=container(ports={"8000/tcp": [8000]})))
    outputs = {"urls": {"docs": "https://build.example:8000/docs"}}
    monkeypatch.setattr(handle, "of", Mock(return_value=there))
    monkeypatch.setattr(
        states, "read", Mock(return_value=StackState([Resource("pulumi:pulumi:Stack", "s", "", outputs=outputs)]))
    )
    monkeypatch.setattr(webbrowser, "open", Mock(return_value=True))
    done = CliRunner().invoke(app, ["open", "dev", "docs"], catch_exceptions=False)
    assert done.stdout == "https://build.example:8000/docs\n"
