from __future__ import annotations

import pytest

from cli import suites
from cli.errors import UserError
from cli.suites import Chosen


@pytest.mark.parametrize(
    ("arguments", "chosen"),
    [
        ([], Chosen(("all",), inside=False, extra=[])),
        (["e2e"], Chosen(("e2e",), inside=False, extra=[])),
        (["api", "smoke", "unit"], Chosen(("api", "smoke", "unit"), inside=False, extra=[])),
        (["unit", "-k", "settings"], Chosen(("unit",), inside=False, extra=["-k", "settings"])),
        (["unit", "-k", "api"], Chosen(("unit",), inside=False, extra=["-k", "api"])),
        (["-x"], Chosen(("all",), inside=False, extra=["-x"])),
        (["ci", "-x"], Chosen(("all",), inside=True, extra=["-x"])),
        (["ci", "all"], Chosen(("all",), inside=True, extra=[])),
        (["ci", "api", "e2e", "-x"], Chosen(("api", "e2e"), inside=True, extra=["-x"])),
        (["tests/unit/cli"], Chosen(("unit",), inside=False, extra=["tests/unit/cli"])),
        (["tests/system/images"], Chosen(("infra",), inside=False, extra=["tests/system/images"])),
        (["./tests/infra/"], Chosen(("infra",), inside=False, extra=["./tests/infra/"])),
        (["-k", "tests"], Chosen(("all",), inside=False, extra=["-k", "tests"])),
        (["tests/"], Chosen(("all",), inside=False, extra=["tests/"])),
        (["-k", "unit"], Chosen(("all",), inside=False, extra=["-k", "unit"])),
    ],
)
def test_suites_are_the_first_words_or_those_of_paths(arguments: list[str], chosen: Chosen) -> None:
    assert suites.choose(arguments) == chosen


def test_suites_of_paths_are_told_once_and_replace_those_that_are_named() -> None:
    paths = ["tests/api/test_app.py::test_it[a::b]", "tests/e2e/host", "tests/api"]
    assert suites.choose(["unit", *paths]).suites == ("api", "e2e")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["api", "ci"], "`ci` doesn't stand first in: api ci."),
        (["ci", "ci"], "`ci` doesn't stand first in: ci ci."),
        (["ci", "api", "infra"], "infra can't be run inside ci."),
        (["ci", "operator"], "operator can't be run inside ci."),
        (["ci", "tests/system/commands/test_down.py"], "operator can't be run inside ci."),
    ],
)
def test_suites_that_cannot_be_run_there_are_refused(arguments: list[str], said: str) -> None:
    with pytest.raises(UserError) as caught:
        suites.choose(arguments)
    assert caught.value.message == said
    assert caught.value.exit_status == 2


@pytest.mark.parametrize(
    ("chosen", "needed"),
    [
        (["all"], True),
        (["unit"], False),
        (["infra"], False),
        (["unit", "infra", "operator"], False),
        (["unit", "api"], True),
        (["integration"], True),
        (["api"], True),
        (["smoke"], True),
        (["e2e"], True),
    ],
)
def test_only_some_suites_need_an_environment(chosen: list[str], needed: bool) -> None:
    assert suites.need_environment(chosen) is needed


@pytest.mark.parametrize(
    ("chosen", "needed"),
    [(["e2e"], True), (["api", "e2e"], True), (["all"], True), (["api"], False), (["unit", "operator"], False)],
)
def test_a_browser_is_needed_where_one_is_driven(chosen: list[str], needed: bool) -> None:
    assert suites.need_browser(chosen) is needed


def test_without_a_browser_all_but_its_suite_is_run() -> None:
    command = suites.command(["all"], [], browser=False)
    assert "tests/e2e" not in command
    assert set(suites.paths(["all"])) - set(command) == {"tests/e2e"}


def test_suites_are_run_together() -> None:
    command = suites.command(["smoke", "api"], ["-x"])
    assert [word for word in command if word.startswith("tests/")] == ["tests/api", "tests/smoke"]


def test_all_is_every_suite_once() -> None:
    every = suites.paths(["all"])
    assert len(every) == len(set(every))
    assert set(every) == {folder for folders in suites.SUITES.values() for folder in folders}


def test_all_measures_coverage_and_a_part_does_not() -> None:
    assert "--cov" in suites.command(["all"], [])
    assert "--cov" not in suites.command(["unit"], [])
    assert "--cov" not in suites.command(["all"], ["tests/unit/cli"])


def test_a_path_replaces_the_suites_folders() -> None:
    command = suites.command(["all"], ["tests/unit/cli/test_suites.py"])
    assert [word for word in command if word.startswith("tests/")] == ["tests/unit/cli/test_suites.py"]


@pytest.mark.parametrize("flag", ["-n", "--pdb"])
def test_the_users_own_workers_win(flag: str) -> None:
    assert suites.WORKERS not in suites.command(["unit"], [flag])


def test_inside_ci_nothing_needs_an_engine() -> None:
    command = suites.inside_command(["all"], ["-x"])
    assert "-x" in command
    assert not {"tests/infra", "tests/system/environment"} & set(command)
    assert {"tests/unit/app", "tests/e2e"} < set(command)


@pytest.mark.parametrize(
    ("chosen", "extra", "folders"),
    [
        (["api", "smoke"], [], ["tests/api", "tests/smoke"]),
        (["unit"], [], ["tests/unit/app"]),
        (["all"], ["tests/api/test_app.py"], ["tests/api/test_app.py"]),
    ],
)
def test_a_part_is_run_inside_ci(chosen: list[str], extra: list[str], folders: list[str]) -> None:
    command = suites.inside_command(chosen, extra)
    assert [word for word in command if word.startswith("tests/")] == folders


@pytest.mark.parametrize(("package", "measured"), [("", "--cov"), ("app", "--cov=app")])
def test_reports_are_for_other_programs(package: str, measured: str) -> None:
    arguments = suites.reports("/there", package)
    assert measured in arguments
    assert {"--junit-xml=/there/junit.xml", "--cov-report=xml:/there/coverage.xml"} <= set(arguments)
