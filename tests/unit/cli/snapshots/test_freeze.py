from __future__ import annotations

import io
from contextlib import nullcontext
from typing import Any
from unittest.mock import Mock, call

import pytest
from docker.errors import APIError

from cli.snapshots import freeze
from infra.pacing import MARK


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Mock:
    monkeypatch.setattr(freeze, "_guard", lambda _: nullcontext())
    client = Mock()
    client.api.exec_create.return_value = {"Id": "e"}
    client.api.exec_start.return_value = b""
    client.api.exec_inspect.return_value = {"ExitCode": 0}
    return client


def _sooner(container: str) -> list[Any]:
    """Return the calls after which a container's next check doesn't wait."""
    return [call.exec_create(container, ["rm", "-f", MARK]), call.exec_start("e"), call.exec_inspect("e")]


def test_services_stand_still_together(client: Mock) -> None:
    with freeze.frozen(client, ["p", "r"]):
        before = [made for one in ("p", "r") for made in _sooner(one)]
        assert client.api.mock_calls == [*before, call.pause("p"), call.pause("r")]
        client.api.reset_mock()
    assert client.api.mock_calls == [call.unpause("p"), call.unpause("r")]


def test_checks_after_it_do_not_wait(client: Mock) -> None:
    # One may have ended by itself by then.
    client.api.exec_create.side_effect = [APIError("not running"), {"Id": "e"}]
    with freeze.frozen(client, ["p", "r"]):
        assert client.api.mock_calls[:-2] == [_sooner("p")[0], *_sooner("r")]


def test_all_go_on_where_one_can_not_be_paused(client: Mock) -> None:
    client.api.pause.side_effect = [None, APIError("no")]
    with pytest.raises(APIError), freeze.frozen(client, ["p", "r"]):
        pass
    assert client.api.unpause.mock_calls == [call("p"), call("r")]


def test_one_that_goes_on_already_is_no_obstacle(client: Mock) -> None:
    client.api.unpause.side_effect = [APIError("not paused"), None]
    with freeze.frozen(client, ["p", "r"]) as moment:
        pass
    assert client.api.unpause.call_count == 2
    assert moment.seconds > 0


def test_where_nothing_runs_nothing_is_done(client: Mock) -> None:
    with freeze.frozen(client, []) as moment:
        pass
    assert client.api.mock_calls == []
    assert moment.seconds == 0


def test_the_guard_waits_for_the_end_and_thaws(
    monkeypatch: pytest.MonkeyPatch, client: Mock, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(freeze, "connect", Mock(return_value=client))
    ended = io.StringIO("")
    monkeypatch.setattr("sys.stdin", ended)
    freeze.watch(["p", "r"])
    assert capsys.readouterr().out == "\n"
    assert client.api.unpause.mock_calls == [call("p"), call("r")]
