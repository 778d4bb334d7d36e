from __future__ import annotations

import json
from io import StringIO

import pytest
from rich.console import Console

from cli.engine.container import Source
from cli.operations.logs import rendering
from cli.operations.logs.entries import Entry
from infra.naming import SERVICES

ENTRY = Entry("2026-11-23T22:35:39.000000001Z", Source("1", "app", "dashtam-test-app"), "[red]text[/]")


PLAIN = Console(file=StringIO(), force_terminal=False)
TERMINAL = Console(file=StringIO(), force_terminal=True, color_system="truecolor", no_color=False)
NO_COLOUR = Console(file=StringIO(), force_terminal=True, color_system="truecolor", no_color=True)


@pytest.mark.parametrize(
    ("console", "timestamps", "expected"),
    [
        (PLAIN, False, "app      | [red]text[/]"),
        (PLAIN, True, "app      | 2026-11-23T22:35:39.000000001Z [red]text[/]"),
        (TERMINAL, False, "\x1b[32mapp      | \x1b[0m[red]text[/]"),
        (NO_COLOUR, False, "app      | [red]text[/]"),
    ],
)
def test_a_line_has_its_service_in_front(console: Console, timestamps: bool, expected: str) -> None:
    assert rendering.lines(console, SERVICES, timestamps=timestamps)(ENTRY) == expected


def test_names_are_aligned_to_those_that_are_shown() -> None:
    assert rendering.lines(PLAIN, ["app", "redis"], timestamps=False)(ENTRY).startswith("app   | ")


def test_of_several_replicas_each_has_its_name_in_front() -> None:
    source = Source("1", "app", "dashtam-test-app.2@node1", "app.2@node1")
    show = rendering.lines(PLAIN, ["app", "app.2@node1"], timestamps=False)
    assert show(Entry(ENTRY.time, source, "text")) == "app.2@node1 | text"
    assert show(ENTRY).startswith("app         | ")


def test_every_service_has_a_colour_of_its_own() -> None:
    assert len(set(rendering.COLOURS)) >= len(SERVICES)


def test_scripts_get_json() -> None:
    assert json.loads(rendering.as_json(ENTRY)) == {
        "time": "2026-11-23T22:35:39.000000001Z",
        "service": "app",
        "container": "dashtam-test-app",
        "line": "[red]text[/]",
    }
