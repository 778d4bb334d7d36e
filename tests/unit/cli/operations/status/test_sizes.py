from __future__ import annotations

import time
from typing import Any
from unittest.mock import Mock

import pytest
from docker.errors import APIError

from cli.operations.status import sizes
from cli.operations.status.sizes import Sizes, Writer, writers

DATA = {"Type": "volume", "Name": "data", "Destination": "/data", "RW": True}
FILES = {"Type": "volume", "Name": "files", "Destination": "/run/secrets", "RW": False}
SOURCE = {"Type": "bind", "Source": "/home/me", "Destination": "/app", "RW": True}


def _container(state: str = "running") -> dict[str, Any]:
    return {"Id": "id-redis", "State": {"Status": state}, "Mounts": [FILES, DATA, SOURCE]}


@pytest.fixture
def view() -> Mock:
    made = Mock()
    made.execute.return_value = (0, "16\t/data\n")
    made.volume_sizes.return_value = {}
    return made


def test_only_what_a_service_writes_to_is_measured() -> None:
    assert list(writers([_container()])) == [Writer("data", "id-redis", "/data")]


@pytest.mark.parametrize("state", ["created", "exited", "paused", "restarting"])
def test_nothing_is_run_in_what_does_not_run(view: Mock, state: str) -> None:
    assert Sizes(view).of([_container(state)]) == {}
    view.execute.assert_not_called()


@pytest.mark.parametrize(
    ("answer", "known"),
    [
        ((0, "16\t/data\n"), {"data": 16_384}),
        ((1, "du: /data/temp-7.rdb: No such file or directory\n20\t/data\n"), {"data": 20_480}),
        ((127, "OCI runtime exec failed: du: executable file not found in $PATH"), {}),
        ((1, "du: can't open '/data': Permission denied\n"), {}),
    ],
)
def test_what_is_said_of_the_sum(view: Mock, answer: tuple[int, str], known: dict[str, int]) -> None:
    view.execute.return_value = answer
    assert Sizes(view).of([_container()]) == known


def test_a_service_that_stops_meanwhile_is_unknown(view: Mock) -> None:
    view.execute.side_effect = APIError("container is not running")
    assert Sizes(view).of([_container()]) == {}


def test_the_engine_counts_the_rest(view: Mock) -> None:
    view.volume_sizes.return_value = {"data": 5, "idle": 6}
    assert Sizes(view).of([_container()]) == {"data": 16_384, "idle": 6}


def test_a_measurement_holds_for_a_while(view: Mock, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    measured = Sizes(view)
    measured.of([_container()])
    view.execute.return_value = (0, "32\t/data\n")
    assert measured.of([_container()]) == {"data": 16_384}
    now += sizes.FRESH_SECONDS
    assert measured.of([_container()]) == {"data": 32_768}
