from __future__ import annotations

import pytest

from cli import suites


@pytest.mark.parametrize(
    ("arguments", "suite", "extra"),
    [
        ([], "all", []),
        (["e2e"], "e2e", []),
        (["unit"], "unit", []),
        (["unit", "-k", "settings"], "unit", ["-k", "settings"]),
        (["-x"], "all", ["-x"]),
        (["ci", "-x"], "ci", ["-x"]),
        (["tests/unit/cli"], "all", ["tests/unit/cli"]),
        (["-k", "unit"], "all", ["-k", "unit"]),
    ],
)
def test_the_suite_is_the_first_word_if_it_is_one(arguments: list[str], suite: str, extra: list[str]) -> None:
    assert suites.split(arguments) == (suite, extra)


@pytest.mark.parametrize(
    ("suite", "needed"),
    [
        ("all", True),
        ("unit", False),
        ("infra", False),
        ("integration", True),
        ("api", True),
        ("smoke", True),
        ("e2e", True),
    ],
)
def test_only_some_suites_need_an_environment(suite: str, needed: bool) -> None:
    assert suites.needs_environment(suite) is needed


@pytest.mark.parametrize(
    ("suite", "extra", "needed"),
    [
        ("e2e", [], True),
        ("all", ["-x"], True),
        ("all", ["tests/unit/cli"], False),
        ("all", ["tests/unit/cli", "tests/e2e/test_trust.py"], True),
        ("api", [], False),
    ],
)
def test_a_browser_is_needed_where_one_is_driven(suite: str, extra: list[str], needed: bool) -> None:
    assert suites.needs_browser(suite, extra) is needed


def test_without_a_browser_all_but_its_suite_is_run() -> None:
    command = suites.command("all", [], browser=False)
    assert "tests/e2e" not in command
    assert set(suites.paths("all")) - set(command) == {"tests/e2e"}


def test_all_is_every_suite_once() -> None:
    every = suites.paths("all")
    assert len(every) == len(set(every))
    assert set(every) == {folder for folders in suites.SUITES.values() for folder in folders}


def test_all_measures_coverage_and_a_part_does_not() -> None:
    assert "--cov" in suites.command("all", [])
    assert "--cov" not in suites.command("unit", [])
    assert "--cov" not in suites.command("all", ["tests/unit/cli"])


def test_a_path_replaces_the_suites_folders() -> None:
    command = suites.command("all", ["tests/unit/cli/test_suites.py"])
    assert [word for word in command if word.startswith("tests/")] == ["tests/unit/cli/test_suites.py"]


@pytest.mark.parametrize("flag", ["-n", "--pdb"])
def test_the_users_own_workers_win(flag: str) -> None:
    assert suites.WORKERS not in suites.command("unit", [flag])


def test_inside_ci_nothing_needs_an_engine() -> None:
    command = suites.inside_command(["-x"])
    assert "-x" in command
    assert not {"tests/infra", "tests/verify"} & set(command)
    assert "tests/e2e" in command


@pytest.mark.parametrize(("package", "measured"), [("", "--cov"), ("app", "--cov=app")])
def test_reports_are_for_other_programs(package: str, measured: str) -> None:
    arguments = suites.reports("/there", package)
    assert measured in arguments
    assert {"--junit-xml=/there/junit.xml", "--cov-report=xml:/there/coverage.xml"} <= set(arguments)
