from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta

import pytest
from rich.console import Console, RenderableType

from cli.operations.status.tables import duration, environments, shown, table
from tests.unit.cli.conftest import MakeContainer
from tests.unit.cli.operations.status.conftest import MakeOverview


def _shown(what: RenderableType) -> list[str]:
    written = io.StringIO()
    Console(file=written, width=160).print(what)
    return [line.rstrip() for line in written.getvalue().splitlines()]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({}, ["running", "healthy"]),
        ({"health": "unhealthy"}, ["running", "unhealthy"]),
        ({"health": "healthy", "state": "exited"}, ["exited", "-", "-"]),
        ({"health": "", "state": "paused"}, ["paused", "-", "-"]),
    ],
)
def test_a_row_says_what_runs_where(
    overview: MakeOverview, container: MakeContainer, changes: dict[str, object], told: list[str]
) -> None:
    row = _shown(table([overview(services=[container(**changes)])]))[1].split()
    assert row[:2] == ["test", "app"]
    assert row[2 : 2 + len(told)] == told
    assert row[-4:] == ["8001", "->", "8000", "dashtam/production:1"]


def test_an_image_without_a_known_name_is_told_by_its_id(overview: MakeOverview, container: MakeContainer) -> None:
    one = container(image=f"sha256:{'ab' * 32}", ports={})
    assert _shown(table([overview(services=[one], images={})]))[1].split()[-2:] == ["-", "sha256:abababababab"]


def test_a_row_an_environment(overview: MakeOverview) -> None:
    now = datetime.now(UTC)
    rows = _shown(
        environments(
            [
                overview(
                    expiry=now + timedelta(days=30, hours=1), data={"postgres_data": 48_500_000, "redis_data": None}
                ),
                overview(environment="old", expiry=now - timedelta(days=2), drift=2, folder=""),
                overview(environment="far", drift=None),
            ],
            owners=True,
        )
    )
    assert f"until {now + timedelta(days=30, hours=1):%Y-%m-%d}" in rows[1]
    assert "postgres_data 48.5 MB, redis_data  " in rows[1]
    assert rows[1].endswith("/home/me/dashtam")
    assert "expired" in rows[2]
    assert "./dashtam drift old" in rows[2]
    assert rows[2].endswith("me")
    assert "unknown" in rows[3]


def test_where_nothing_is_up_the_way_in_is_told(overview: MakeOverview) -> None:
    assert "./dashtam up dev" in _shown(shown([overview()], owners=False))[0]


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
