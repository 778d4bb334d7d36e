from __future__ import annotations

import pytest

from cli.core.errors import UserError
from cli.core.paths import ROOT
from cli.operations.test import suites
from cli.operations.test.suites import Chosen, Run

SERVICE = ("unit", "processes", "infra", "integration", "api", "smoke", "e2e")
INSIDE = ("unit", "processes", "integration", "api", "smoke", "e2e")


def folders(*arguments: str) -> list[tuple[str, ...]]:
    return [run.paths for run in suites.runs(suites.choose(arguments))]


@pytest.mark.parametrize(
    ("arguments", "chosen"),
    [
        ([], Chosen(SERVICE)),
        (["service"], Chosen(SERVICE)),
        (["all"], Chosen((*SERVICE, "system"))),
        (["e2e"], Chosen(("e2e",))),
        (["api", "smoke", "api"], Chosen(("api", "smoke"))),
        (["unit", "-k", "api"], Chosen(("unit",), extra=("-k", "api"))),
        (["-x"], Chosen(SERVICE, extra=("-x",))),
        (["ci", "-x"], Chosen(INSIDE, inside=True, extra=("-x",))),
        (["ci", "all"], Chosen(INSIDE, inside=True)),
        (["ci", "api", "e2e"], Chosen(("api", "e2e"), inside=True)),
        (["campaign"], Chosen(("system",), campaign=True)),
        (["tests/unit/cli"], Chosen(("unit",), paths=("tests/unit/cli",))),
        (["tests/system/images"], Chosen(("system",), paths=("tests/system/images",))),
        (["swarm"], Chosen(("swarm",))),
        (["tests/system/swarm/test_lab.py"], Chosen(("swarm",), paths=("tests/system/swarm/test_lab.py",))),
        (["./tests/infra/"], Chosen(("infra",), paths=("tests/infra",))),
        (["-k", "tests/x"], Chosen(SERVICE, extra=("-k", "tests/x"))),
        (["--ignore", "tests/unit"], Chosen(SERVICE, extra=("--ignore", "tests/unit"))),
        (["--deselect=tests/unit"], Chosen(SERVICE, extra=("--deselect=tests/unit",))),
        (["tests/"], Chosen((*SERVICE, "system"), paths=("tests",))),
        (["unit", "tests/api/test_app.py::b[c::d]"], Chosen(("api",), paths=("tests/api/test_app.py::b[c::d]",))),
        (
            ["tests/smoke", "tests/e2e", "-x"],
            Chosen(("smoke", "e2e"), paths=("tests/smoke", "tests/e2e"), extra=("-x",)),
        ),
    ],
)
def test_suites_are_the_first_words_or_those_of_paths(arguments: list[str], chosen: Chosen) -> None:
    assert suites.choose(arguments) == chosen


@pytest.mark.parametrize(
    ("arguments", "chosen"),
    [
        (["smoke", "staging"], Chosen(("smoke",), environment="staging")),
        (["smoke", "api", "staging", "-x"], Chosen(("smoke", "api"), extra=("-x",), environment="staging")),
        (["smoke", "-k", "staging"], Chosen(("smoke",), extra=("-k", "staging"))),
        (
            ["-x", "smoke", "--maxfail", "1", "staging"],
            Chosen(("smoke",), extra=("-x", "--maxfail", "1"), environment="staging"),
        ),
    ],
)
def test_an_environment_may_follow_suites(arguments: list[str], chosen: Chosen) -> None:
    assert suites.choose(arguments, ["dev", "staging"]) == chosen


@pytest.mark.parametrize(
    ("arguments", "message", "hint"),
    [
        (["unitt"], "'unitt' is neither a suite nor a path of tests.", "Did you mean 'unit'? "),
        (["smoke", "apii"], "'apii' is neither a suite nor a path of tests.", "Did you mean 'api'? "),
        (["smoke", "stagin"], "'stagin' is neither a suite nor a path of tests.", "Did you mean 'staging'? "),
        (["-n", "2", "unitt"], "'unitt' is neither a suite nor a path of tests.", "Did you mean 'unit'? "),
        (["-x", "unitt"], "'unitt' is neither a suite nor a path of tests.", "Did you mean 'unit'? "),
        (["--maxfail=1", "unitt"], "'unitt' is neither a suite nor a path of tests.", "Did you mean 'unit'? "),
        (["ci", "apii"], "'apii' is neither a suite nor a path of tests.", "Did you mean 'api'? "),
        (["tests/api/nope.py"], "'tests/api/nope.py' is neither a suite nor a path of tests.", "Tests by name"),
        (["cli/main.py"], "'cli/main.py' is neither a suite nor a path of tests.", "Tests by name"),
        (["staging"], "The environment staging must come after suites, alone.", "./dashtam test smoke api staging"),
        (["api", "staging", "dev"], "The environment staging must come after suites, alone.", "smoke api staging"),
        (["api", "staging", "x"], "'x' is neither a suite nor a path of tests.", "Tests by name"),
    ],
)
def test_a_word_that_means_nothing_is_refused(arguments: list[str], message: str, hint: str) -> None:
    with pytest.raises(UserError) as caught:
        suites.choose(arguments, ["dev", "staging"])
    assert caught.value.message == message
    assert hint in caught.value.remedy
    assert caught.value.exit_status == 64


@pytest.mark.parametrize(
    "extra",
    [
        *(("-k", "expr"), ("-m", "mark"), ("-p", "plugin"), ("-n", "2"), ("-o", "a=b"), ("-W", "error")),
        *(("--maxfail", "1"), ("--deselect", "x"), ("--tb", "short"), ("--junit-xml", "tests/conftest.py")),
    ],
)
def test_the_value_of_an_option_is_passed_on(extra: tuple[str, ...]) -> None:
    assert suites.choose(["unit", *extra]) == Chosen(("unit",), extra=extra)


@pytest.mark.parametrize(
    ("folder", "word", "path"),
    [
        ("tests/api", "test_app.py", "tests/api/test_app.py"),
        ("tests/api", "test_app.py::test_it", "tests/api/test_app.py::test_it"),
        ("tests/api", "../smoke", "tests/smoke"),
        ("tests/api", ".", "tests/api"),
        ("tests/api", "tests/smoke", "tests/smoke"),
        ("cli", "tests/smoke/test_alive.py", "tests/smoke/test_alive.py"),
        ("cli", f"{ROOT}/tests/smoke/test_alive.py::test_it", "tests/smoke/test_alive.py::test_it"),
    ],
)
def test_a_path_is_seen_from_the_current_folder_and_the_checkout(
    monkeypatch: pytest.MonkeyPatch, folder: str, word: str, path: str
) -> None:
    monkeypatch.chdir(ROOT / folder)
    assert suites.choose([word]).paths == (path,)


def test_what_runs_against_an_environment_brings_none_up() -> None:
    runs = suites.runs(suites.choose(["smoke", "api", "staging"], ["staging"]))
    assert [(one.paths, one.needs_environment) for one in runs] == [(("tests/api", "tests/smoke"), False)]


@pytest.mark.parametrize("words", [["integration"], ["smoke", "e2e"], ["all"], ["ci", "smoke"], ["campaign"]])
def test_only_what_sees_an_environment_as_clients_do_runs_against_it(words: list[str]) -> None:
    with pytest.raises(UserError, match="can't run against staging"):
        suites.choose([*words, "staging"], ["staging"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["api", "ci"], "`ci` must be the first argument."),
        (["ci", "ci"], "`ci` must be the first argument."),
        (["system", "campaign"], "`campaign` must be the first argument."),
        (["ci", "api", "infra"], "infra can't run inside ci."),
        (["ci", "system"], "system can't run inside ci."),
        (["ci", "swarm"], "swarm can't run inside ci."),
        (["ci", "tests/system/commands/test_down.py"], "system can't run inside ci."),
    ],
)
def test_suites_that_cannot_run_there_are_refused(arguments: list[str], message: str) -> None:
    with pytest.raises(UserError) as caught:
        suites.choose(arguments)
    assert caught.value.message == message
    assert caught.value.remedy
    assert caught.value.exit_status == 64


def test_what_needs_no_environment_runs_first_and_system_last() -> None:
    assert [(run.name, run.needs_environment) for run in suites.runs(suites.choose(["all"]))] == [
        ("unit", False),
        ("service", True),
        ("system", True),
    ]


def test_service_has_every_suite_but_system_once() -> None:
    found = [path for paths in folders() for path in paths]
    assert sorted(found) == sorted(suites.SERVICE.values())
    assert [path for paths in folders("all") for path in paths] == [*found, "tests/system"]


def test_a_part_is_one_run() -> None:
    assert folders("smoke", "api") == [("tests/api", "tests/smoke")]
    assert folders("api", "tests/unit/cli") == [("tests/unit/cli",)]


@pytest.mark.parametrize(
    ("arguments", "needed"),
    [
        (["unit"], False),
        (["processes"], False),
        (["tests/processes/sandbox"], False),
        (["infra"], False),
        (["integration"], True),
        (["api"], True),
        (["smoke"], True),
        (["e2e"], True),
        (["system"], True),
        (["campaign"], True),
        (["tests/unit/app/test_main.py::test_it"], False),
        (["tests/system/toolchain"], False),
        (["swarm"], False),
        (["tests/system/swarm"], False),
        (["tests/system/commands"], True),
        (["tests/unit", "tests/api"], True),
    ],
)
def test_only_some_suites_need_an_environment(arguments: list[str], needed: bool) -> None:
    assert [run.needs_environment for run in suites.runs(suites.choose(arguments))] == [needed]


@pytest.mark.parametrize(
    ("arguments", "driven"),
    [
        ([], True),
        (["e2e"], True),
        (["tests/e2e/test_linking.py"], True),
        (["tests/unit"], False),
        (["tests/"], True),
        (["api"], False),
        (["system"], False),
    ],
)
def test_a_browser_is_needed_where_one_is_driven(arguments: list[str], driven: bool) -> None:
    assert any(run.drives_browser for run in suites.runs(suites.choose(arguments))) is driven


def test_without_a_browser_all_but_its_suite_runs() -> None:
    run = Run("service", ("tests/api", "tests/e2e"), needs_environment=True)
    assert run.without_browser().paths == ("tests/api",)


def test_the_campaign_runs_what_takes_minutes_one_by_one() -> None:
    [run] = suites.runs(suites.choose(["campaign"]))
    command = suites.command(run, [])
    assert command[command.index("-m", 3) + 1] == "campaign"
    assert command[command.index("-n") + 1] == "1"
    assert command[-1] == "tests/system"


@pytest.mark.parametrize(
    ("arguments", "held_back"),
    [
        (["all"], True),
        (["system"], True),
        (["campaign"], True),
        (["tests/"], True),
        (["tests/system"], True),
        (["swarm"], False),
        (["tests/system/swarm"], False),
        (["tests/system/swarm/test_lab.py::test_it"], False),
    ],
)
def test_the_swarm_is_tried_only_where_it_is_named(arguments: list[str], held_back: bool) -> None:
    commands = [suites.command(run, []) for run in suites.runs(suites.choose(arguments))]
    assert all("--ignore=tests/system/swarm" in command for command in commands) is held_back


def test_the_tests_of_a_swarm_share_one_lab() -> None:
    for arguments in (["swarm"], ["tests/system/swarm/test_lab.py"]):
        [run] = suites.runs(suites.choose(arguments))
        command = suites.command(run, [])
        assert command[command.index("-n") + 1] == "0"


@pytest.mark.parametrize(
    ("arguments", "workers"),
    [
        (["unit"], str(suites.WORKERS)),
        (["unit", "--keep-duplicates"], str(suites.WORKERS)),
        (["unit", "-k", "settings"], "0"),
        (["unit", "-ksettings"], "0"),
        (["tests/api/test_app.py"], str(suites.WORKERS)),
        (["tests/api/test_app.py::test_health"], "0"),
    ],
)
def test_a_few_chosen_tests_wait_for_no_workers(arguments: list[str], workers: str) -> None:
    chosen = suites.choose(arguments)
    [run] = suites.runs(chosen)
    command = suites.command(run, chosen.extra)
    assert command[command.index("-n") + 1] == workers


@pytest.mark.parametrize("flag", ["-n", "-n3", "--numprocesses=2", "--pdb", "--trace"])
@pytest.mark.parametrize(
    "arguments", [["unit"], ["system"], ["tests/system/images"]], ids=["unit", "system", "a path of system"]
)
def test_the_users_own_workers_win(arguments: list[str], flag: str) -> None:
    [run] = suites.runs(suites.choose(arguments))
    own, users = suites.command(run, []), suites.command(run, [flag])
    assert own[own.index("-n") + 1] == str(run.workers)
    assert users.count("-n") == (flag == "-n")
    assert str(run.workers) not in users


def test_reports_are_named_after_the_run() -> None:
    run = Run("unit", ("tests/unit",), needs_environment=False)
    assert "--junit-xml=/there/junit-unit.xml" in suites.command(run, [], "/there")


@pytest.mark.parametrize(
    ("arguments", "alone", "with_reports"),
    [
        ([], False, True),
        (["all"], True, True),
        (["all", "-x"], True, True),
        (["system"], False, False),
        (["unit"], False, False),
        (["tests/"], False, False),
    ],
)
def test_coverage_is_measured_where_everything_runs_or_is_reported(
    arguments: list[str], alone: bool, with_reports: bool
) -> None:
    chosen = suites.choose(arguments)
    measured = [suites.measures_coverage(chosen, reports=reports) for reports in (False, True)]
    assert measured == [alone, with_reports]


@pytest.mark.parametrize(("group", "more"), [("all", True), ("service", False), ("unit", False)])
def test_more_examples_are_tried_where_everything_runs(group: str, more: bool) -> None:
    commands = [suites.command(run, []) for run in suites.runs(suites.choose([group]))]
    assert ["--hypothesis-profile=ci" in command for command in commands] == [more, *[False] * (len(commands) - 1)]


@pytest.mark.parametrize(
    ("extra", "ends"),
    [
        *((one, True) for one in (["-x"], ["-xvs"], ["-vx"], ["--exitfirst"], ["--maxfail=3"])),
        *((one, False) for one in (["-k", "x"], ["-kx"], ["-v"], [])),
    ],
)
def test_a_first_failure_ends_the_runs_where_asked(extra: list[str], ends: bool) -> None:
    assert suites.ends_at_first_failure(extra) is ends


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["ci", "api", "smoke"], ["tests/api", "tests/smoke"]),
        (["ci", "unit"], ["tests/unit/app"]),
        (["ci", "processes"], ["tests/processes/app"]),
        (["ci", "tests/api/test_app.py"], ["tests/api/test_app.py"]),
        (
            ["ci"],
            ["tests/unit/app", "tests/processes/app", "tests/integration", "tests/api", "tests/smoke", "tests/e2e"],
        ),
    ],
)
def test_a_part_runs_inside_ci(arguments: list[str], expected: list[str]) -> None:
    command = suites.inside_command(suites.choose(arguments))
    assert [word for word in command if word.startswith("tests/")] == expected


def test_reports_of_ci_have_coverage_of_the_service() -> None:
    command = suites.inside_command(suites.choose(["ci"]), "/there")
    assert {"--junit-xml=/there/junit-ci.xml", "--cov=app", "--cov-report=xml:/there/coverage.xml"} <= {*command}
