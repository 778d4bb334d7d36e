from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from rich.console import Console, RenderableType
from typer.testing import CliRunner

from cli.commands.status import describe, document, duration, environments, shown, table
from cli.main import app
from cli.overview import Overview
from tests.unit.cli.conftest import MakeContainer


def _overview(**changes: Any) -> Overview:  # noqa: ANN401 - whatever it has
    known: dict[str, Any] = {
        "environment": "test",
        "owner": "me",
        "folder": "/home/me/dashtam",
        "services": [],
        "images": {"app": "dashtam/production:1"},
        "expiry": None,
        "drift": 0,
        "data": None,
    }
    return Overview(**{**known, **changes})


def _shown(what: RenderableType) -> list[str]:
    written = io.StringIO()
    Console(file=written, width=160).print(what)
    return [line.rstrip() for line in written.getvalue().splitlines()]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({}, ["running", "healthy"]),
        ({"health": "unhealthy"}, ["running", "unhealthy"]),
        ({"health": "", "state": "exited"}, ["exited", "-", "-"]),
        ({"health": "", "state": "paused"}, ["paused", "-", "-"]),
    ],
)
def test_a_row_says_what_runs_where(container: MakeContainer, changes: dict[str, object], told: list[str]) -> None:
    row = _shown(table([_overview(services=[container(**changes)])]))[1].split()
    assert row[:2] == ["test", "app"]
    assert row[2 : 2 + len(told)] == told
    assert row[-4:] == ["8001", "->", "8000", "dashtam/production:1"]


def test_an_image_without_a_known_name_is_told_by_its_id(container: MakeContainer) -> None:
    one = container(image=f"sha256:{'ab' * 32}", ports={})
    assert _shown(table([_overview(services=[one], images={})]))[1].split()[-2:] == ["-", "sha256:abababababab"]


def test_scripts_get_the_published_ports_alone(container: MakeContainer) -> None:
    described = describe(container(ports={"8000/tcp": [8001], "8182/tcp": []}))
    assert described["ports"] == {"8000/tcp": [8001]}
    assert (described["environment"], described["service"], described["health"]) == ("test", "app", "healthy")


@pytest.mark.parametrize(("drift", "told"), [(0, False), (3, True), (None, None)])
def test_scripts_get_each_environment(container: MakeContainer, drift: int | None, told: bool | None) -> None:
    end = datetime(2027, 1, 2, tzinfo=UTC)
    given = document([_overview(services=[container()], drift=drift, expiry=end, data={"v": 5})])
    assert given["services"][0]["image_reference"] == "dashtam/production:1"
    assert given["overview"] == [
        {
            "environment": "test",
            "owner": "me",
            "folder": "/home/me/dashtam",
            "state": "up",
            "certificates_expire": "2027-01-02T00:00:00+00:00",
            "drift": told,
            "differences": drift,
            "data_bytes": {"v": 5},
        }
    ]


@pytest.mark.parametrize(
    ("services", "state"),
    [
        ([], "down"),
        ([{}], "up"),
        ([{}, {"state": "exited", "health": ""}], "partly up"),
        ([{"health": "starting"}], "partly up"),
        ([{"state": "exited", "health": ""}], "down"),
    ],
)
def test_the_state_of_an_environment(container: MakeContainer, services: list[dict[str, object]], state: str) -> None:
    one = _overview(services=[container(**changes) for changes in services])
    assert one.state == state


def test_a_row_an_environment() -> None:
    now = datetime.now(UTC)
    rows = _shown(
        environments(
            [
                _overview(expiry=now + timedelta(days=30, hours=1), data={"postgres_test_data": 48_500_000}),
                _overview(environment="old", expiry=now - timedelta(days=2), drift=2, folder=""),
                _overview(environment="far", drift=None),
            ],
            owners=True,
        )
    )
    assert f"until {now + timedelta(days=30, hours=1):%Y-%m-%d}" in rows[1]
    assert "postgres_test_data 48.5 MB" in rows[1]
    assert rows[1].endswith("/home/me/dashtam")
    assert "expired" in rows[2]
    assert "./dashtam drift old" in rows[2]
    assert rows[2].endswith("me")
    assert "unknown" in rows[3]


def test_where_nothing_is_up_the_way_in_is_told() -> None:
    assert "./dashtam up dev" in _shown(shown([_overview()], owners=False))[0]


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (None, "-"),
        (0, "0 s"),
        (59, "59 s"),
        (60, "1 min"),
        (61, "1 min 1 s"),
        (3600 * 3 + 300, "3 h 5 min"),
        (86_400 * 2 + 5, "2 d 5 s"),
    ],
)
def test_lengths_of_time(seconds: int | None, told: str) -> None:
    assert duration(seconds) == told


@pytest.mark.parametrize("options", [["test", "--all"], ["--watch", "--json"]])
def test_options_that_exclude_each_other(options: list[str]) -> None:
    assert CliRunner().invoke(app, ["status", *options]).exit_code == 2
