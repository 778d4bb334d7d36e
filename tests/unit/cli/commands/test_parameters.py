from __future__ import annotations

import pytest

from cli.commands import parameters
from infra.naming import SERVICES


@pytest.mark.parametrize(("incomplete", "expected"), [("", list(SERVICES)), ("p", ["postgres"]), ("x", [])])
def test_services_are_completed(incomplete: str, expected: list[str]) -> None:
    assert parameters.complete_service(incomplete) == expected


def test_environments_are_completed() -> None:
    assert {"ci", "dev", "test"} <= set(parameters.complete_environment(""))
    assert "dev" in parameters.complete_environment("d")
    assert "test" not in parameters.complete_environment("d")
    assert not parameters.complete_environment("no-such")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (None, []),
        ([], []),
        (["--"], []),
        (["--", "psql", "--", "-c"], ["psql", "--", "-c"]),
        (["psql", "--"], ["psql", "--"]),
    ],
)
def test_the_first_separator_is_left_out(words: list[str] | None, expected: list[str]) -> None:
    assert parameters._without_separator(words) == expected


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["dev"], (["dev"], [])),
        (["dev", "app", "redis"], (["dev"], ["app", "redis"])),
        (["dev", "test", "dev"], (["dev", "test"], [])),
        (["dev", "test", "app"], (["dev", "test"], ["app"])),
        (["nowhere", "app"], (["nowhere"], ["app"])),
        (["dev", "web"], (["dev"], ["web"])),
        (["app"], (["app"], [])),
    ],
)
def test_environments_come_before_services(words: list[str], expected: tuple[list[str], list[str]]) -> None:
    assert parameters.environments_and_services(words) == expected
