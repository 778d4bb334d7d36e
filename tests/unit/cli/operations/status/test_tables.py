from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta

import pytest
from rich.console import Console, RenderableType

from cli.operations.status.tables import duration, environments, shown, table
from tests.unit.cli.conftest import MakeContainer
from tests.unit.cli.operations.status.conftest import MakeOverview


def _shown(what: RenderableType, width: int = 160) -> list[str]:
    written = io.StringIO()
    Console(file=written, width=width).print(what)
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


@pytest.mark.parametrize(
    ("url", "ports", "told"),
    [
        ("https://localhost:8001", {"8000/tcp": [8001], "5678/tcp": [5678]}, "https://localhost:8001, 5678 -> 5678"),
        ("https://localhost", {"8000/tcp": [443]}, "https://localhost"),
        (None, {"8000/tcp": [8001]}, "8001 -> 8000"),
        ("https://localhost:8001", {}, "-"),
    ],
)
def test_a_service_with_a_url_is_told_by_it(
    overview: MakeOverview, container: MakeContainer, url: str | None, ports: dict[str, list[int]], told: str
) -> None:
    found = overview(services=[container(ports=ports, image="image")], images={}, urls={"app": url})
    row = _shown(table([found]))[1]
    assert row.partition("  image")[0].rstrip().endswith(f"  {told}")


@pytest.mark.parametrize(
    ("width", "left_out"), [(100, []), (80, ["image"]), (66, ["image", "uptime"]), (45, ["image", "uptime", "URL"])]
)
def test_a_narrow_terminal_leaves_out_columns_and_folds_nothing(
    overview: MakeOverview, container: MakeContainer, width: int, left_out: list[str]
) -> None:
    services = [container(), container(component="callback", health="starting")]
    found = overview(services=services, urls={"app": "https://localhost:8001", "callback": "https://localhost:8001"})
    heading, *rows = _shown(shown([found], owners=False), width)[:4]
    assert [one for one in ("image", "uptime", "URL") if one not in heading.split()] == left_out
    assert [row.split()[1:4] for row in rows] == [
        ["app", "running", "healthy"],
        ["callback", "running", "starting"],
        [],
    ]


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


def test_where_what_was_asked_for_is_not_up_it_is_named(overview: MakeOverview) -> None:
    said = _shown(shown([overview(environment="test"), overview(environment="ci")], owners=False, named=True))[0]
    assert said.strip() == "Not running: test, ci. Start with ./dashtam up test ci."


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
