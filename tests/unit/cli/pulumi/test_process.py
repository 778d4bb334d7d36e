from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from cli.core.errors import UserError
from cli.pulumi.process import Pulumi, failure
from cli.pulumi.update import Event, events
from infra.outputs import StackOutputs
from tests.unit.cli.conftest import MakeProgram
from tests.unit.infra.test_outputs import DOCUMENT


def _pulumi(folder: Path, root: Path) -> Pulumi:
    return Pulumi({"PATH": f"{folder}:{os.environ['PATH']}"}, root)


def _update(
    folder: Path,
    root: Path,
    *flags: str,
    on_event: Callable[[Event], None] = lambda _: None,
    must_end: Callable[[], bool] = lambda: False,
) -> bool:
    return _pulumi(folder, root).update("up", "test", *flags, on_event=on_event, must_end=must_end)


def test_its_output_is_returned(program: MakeProgram, tmp_path: Path) -> None:
    folder = program("pulumi", 'echo "$@"; cat')
    said = _pulumi(folder, tmp_path).run("stack", "export", stdin="from here")
    assert said == "stack export --non-interactive --color never\nfrom here"


@pytest.mark.parametrize(("chosen", "given"), [({}, "400"), ({"GOGC": "50"}, "50")])
def test_it_collects_garbage_less_often_unless_the_user_says_how_often(
    program: MakeProgram, tmp_path: Path, chosen: dict[str, str], given: str
) -> None:
    environ = {"PATH": f"{program('pulumi', 'echo $GOGC')}:{os.environ['PATH']}", **chosen}
    assert Pulumi(environ, tmp_path).run("version") == f"{given}\n"


def test_a_failure_is_told_with_its_words(program: MakeProgram, tmp_path: Path) -> None:
    folder = program("pulumi", "echo 'error: incorrect passphrase' >&2; exit 255")
    with pytest.raises(UserError, match="`pulumi stack ls` failed") as raised:
        _pulumi(folder, tmp_path).stacks()
    assert raised.value.cause == "error: incorrect passphrase"
    assert "PULUMI_CONFIG_PASSPHRASE" in raised.value.remedy


def test_stacks_are_named_without_their_organization(program: MakeProgram, tmp_path: Path) -> None:
    folder = program("pulumi", """echo '[{"name": "dev"}, {"name": "organization/dashtam/test"}]'""")
    assert _pulumi(folder, tmp_path).stacks() == {"dev", "test"}


def test_only_missing_stacks_are_created(program: MakeProgram, tmp_path: Path) -> None:
    for name in ("dev", "test"):
        (tmp_path / f"Pulumi.{name}.yaml").touch()
    noted = tmp_path / "noted"
    script = f'case $2 in ls) echo \'[{{"name": "dev"}}]\';; *) echo "$2 $3" >> {noted};; esac'
    _pulumi(program("pulumi", script), tmp_path).create_missing(["dev", "test"])
    assert noted.read_text() == "init test\n"


@pytest.mark.parametrize(("url", "made", "may"), [("", [], True), ("", ["dev"], False), ("s3://mine", ["dev"], True)])
def test_a_folder_tells_whether_stacks_are_missing(tmp_path: Path, url: str, made: list[str], may: bool) -> None:
    (tmp_path / "Pulumi.dev.yaml").touch()
    states = tmp_path / "state/.pulumi/stacks/dashtam"
    states.mkdir(parents=True)
    for stack in made:
        (states / f"{stack}.json").touch()
    assert Pulumi({"PULUMI_BACKEND_URL": url or "file://./state"}, tmp_path).may_lack(["dev"]) is may


def test_an_update_hands_on_its_events(program: MakeProgram, tmp_path: Path) -> None:
    script = """echo 'warning: hm'; echo '{"preludeEvent": {}}'; echo '{"summaryEvent": {"n": 1}}'"""
    seen: list[Event] = []
    succeeded = _update(program("pulumi", script), tmp_path, on_event=seen.append)
    assert succeeded
    assert seen == [{"preludeEvent": {}}, {"summaryEvent": {"n": 1}}]


def test_an_update_asks_nothing(program: MakeProgram, tmp_path: Path) -> None:
    noted = tmp_path / "noted"
    folder = program("pulumi", f'echo "$@" > {noted}')
    _update(folder, tmp_path, "--refresh")
    assert noted.read_text().split()[0] == "up"
    assert {"--yes", "--non-interactive", "--refresh", "--json"} <= set(noted.read_text().split())


def test_an_update_that_failed_on_its_way(program: MakeProgram, tmp_path: Path) -> None:
    folder = program("pulumi", """echo '{"preludeEvent": {}}'; exit 1""")
    assert not _update(folder, tmp_path)


def test_an_update_that_did_not_start(program: MakeProgram, tmp_path: Path) -> None:
    folder = program("pulumi", "echo 'the stack is currently locked by 1 lock(s)' >&2; exit 1")
    with pytest.raises(UserError, match="pulumi up --stack test") as raised:
        _update(folder, tmp_path)
    assert "pulumi cancel" in raised.value.remedy


def test_an_update_that_cannot_succeed_is_interrupted(program: MakeProgram, tmp_path: Path) -> None:
    script = (
        """trap 'echo interrupted >&2; exit 3' INT; echo '{"preludeEvent": {}}'; while :; do read -t 1 _ || :; done"""
    )
    folder = program("pulumi", script.replace("read -t 1 _ || :", "sleep 0.05"))
    assert not _update(folder, tmp_path, must_end=lambda: True)


def test_one_that_was_interrupted_before_it_started_is_no_error(program: MakeProgram, tmp_path: Path) -> None:
    folder = program("pulumi", "trap 'exit 3' INT; while :; do sleep 0.05; done")
    assert not _update(folder, tmp_path, must_end=lambda: True)


def test_no_outputs_means_not_up(program: MakeProgram, tmp_path: Path) -> None:
    assert _pulumi(program("pulumi", "echo '{}'"), tmp_path).outputs("test") is None


def test_outputs_of_another_version_are_told(program: MakeProgram, tmp_path: Path) -> None:
    said = json.dumps({"environment": "test", "secret": "hidden-value"})
    with pytest.raises(UserError, match="not what this version expects") as raised:
        _pulumi(program("pulumi", f"echo '{said}'"), tmp_path).outputs("test")
    assert "hidden-value" not in f"{raised.value} {raised.value.cause}"
    assert raised.value.remedy == "./dashtam up test"


def test_public_outputs_are_read_without_starting_pulumi(program: MakeProgram, tmp_path: Path) -> None:
    secret = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "v1:x"}
    outputs = {**DOCUMENT, **{name: secret for name in DOCUMENT if name.endswith("_dsn")}}
    stack = {"type": "pulumi:pulumi:Stack", "urn": "urn:pulumi:test::dashtam::x::y", "outputs": outputs}
    states = tmp_path / "state/.pulumi/stacks/dashtam"
    states.mkdir(parents=True)
    (states / "test.json").write_text(json.dumps({"checkpoint": {"latest": {"resources": [stack]}}}))
    folder = program("pulumi", "exit 1")
    pulumi = Pulumi({"PATH": str(folder), "PULUMI_BACKEND_URL": "file://./state"}, tmp_path)
    assert pulumi.public_outputs("test") == StackOutputs.model_validate(DOCUMENT).public()
    with pytest.raises(UserError, match="The outputs of dev are not what this version expects"):
        pulumi.public_outputs("dev")


def test_another_backend_is_asked_through_pulumi(program: MakeProgram, tmp_path: Path) -> None:
    folder = program("pulumi", """echo '{"version": 3, "deployment": {"resources": [{"type": "'$2'"}]}}'""")
    assert _pulumi(folder, tmp_path).deployment("test") == {"resources": [{"type": "export"}]}


def test_a_known_failure_has_its_remedy() -> None:
    assert "PULUMI_CONFIG_PASSPHRASE" in failure("pulumi up", "error: incorrect passphrase").remedy


def test_the_remedy_of_a_failure_names_the_environment(program: MakeProgram, tmp_path: Path) -> None:
    folder = program("pulumi", "echo 'the stack is currently locked' >&2; exit 1")
    with pytest.raises(UserError) as raised:
        _pulumi(folder, tmp_path).run("stack", "export", "--stack", "test")
    assert "pulumi cancel --yes --stack test`" in raised.value.remedy


def test_a_long_failure_is_cut_to_its_end() -> None:
    error = failure("pulumi up", "\n".join(f"line {number}" for number in range(100)))
    assert error.cause.splitlines()[0] == "line 80"
    assert error.cause.splitlines()[-1] == "line 99"


@pytest.mark.parametrize(
    ("line", "expected"),
    [('{"a": 1}', [{"a": 1}]), ("words", []), ("[1]", []), ("", []), ('{"half', []), ("3", [])],
)
def test_what_is_no_event_is_passed_over(line: str, expected: list[Event]) -> None:
    assert list(events([line])) == expected
