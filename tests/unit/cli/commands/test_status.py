from __future__ import annotations

import io

import pytest
from rich.console import Console

from cli.commands.status import describe, table
from tests.unit.cli.conftest import MakeContainer


def _shown(container: MakeContainer, **changes: object) -> str:
    written = io.StringIO()
    Console(file=written, width=120).print(table([container(**changes)]))
    return written.getvalue().splitlines()[1]


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({}, "healthy"),
        ({"health": "unhealthy"}, "unhealthy"),
        ({"health": "", "state": "exited"}, "exited"),
        ({"health": "", "state": "paused"}, "paused"),
    ],
)
def test_a_row_says_what_runs_where(container: MakeContainer, changes: dict[str, object], state: str) -> None:
    assert _shown(container, **changes).split() == [
        *("test", "app", state),
        *("2026-01-02", "03:04:05", "8001", "->", "8000/tcp"),
    ]


def test_scripts_get_the_published_ports_alone(container: MakeContainer) -> None:
    described = describe(container(ports={"8000/tcp": [8001], "8182/tcp": []}))
    assert described["ports"] == {"8000/tcp": [8001]}
    assert (described["environment"], described["service"], described["health"]) == ("test", "app", "healthy")
