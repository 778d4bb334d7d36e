from __future__ import annotations

import io
from contextlib import nullcontext
from http import HTTPStatus
from typing import TYPE_CHECKING

import pytest

from cli.core.errors import UserError
from cli.data.snapshots import pause
from infra.services.health import MARK
from tests.unit.cli.engine_double import Engine, refused

if TYPE_CHECKING:
    from pathlib import Path

RUNNING = {"postgres": "running", "redis": "running"}


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Engine:
    """Two services that run and were healthy, and no process beside this one."""
    monkeypatch.setattr(pause, "_guard", lambda _: nullcontext())
    engine = Engine(tmp_path)
    for service in RUNNING:
        engine.run(service)
        engine.files[service] = {MARK, "another"}
    return engine


def _refuse() -> None:
    raise refused(HTTPStatus.INTERNAL_SERVER_ERROR, "no")


def test_services_are_paused_together_and_resumed(engine: Engine) -> None:
    with pause.paused(engine.client, [*RUNNING]) as moment:
        assert engine.states() == dict.fromkeys(RUNNING, "paused")
    assert engine.states() == RUNNING
    assert moment.seconds > 0


def test_other_services_keep_running(engine: Engine) -> None:
    with pause.paused(engine.client, ["postgres"]):
        assert engine.states() == {"postgres": "paused", "redis": "running"}


def test_services_are_resumed_after_a_failure(engine: Engine) -> None:
    with pytest.raises(KeyboardInterrupt), pause.paused(engine.client, [*RUNNING]):
        raise KeyboardInterrupt
    assert engine.states() == RUNNING


def test_the_next_health_checks_do_not_wait(engine: Engine) -> None:
    with pause.paused(engine.client, [*RUNNING]):
        assert engine.files == {one: {"another"} for one in RUNNING}


def test_a_service_in_which_nothing_can_be_run_is_paused_too(engine: Engine) -> None:
    engine.at["exec_create", "postgres"] = _refuse
    with pause.paused(engine.client, [*RUNNING]):
        assert engine.states() == dict.fromkeys(RUNNING, "paused")
        assert engine.files == {"postgres": {MARK, "another"}, "redis": {"another"}}


def test_all_are_resumed_if_one_can_not_be_paused(engine: Engine) -> None:
    engine.at["pause", "redis"] = _refuse
    with pytest.raises(UserError, match="can't be paused") as raised, pause.paused(engine.client, [*RUNNING]):
        pytest.fail("one of them still runs")
    assert raised.value.cause == "no"
    assert engine.states() == RUNNING


@pytest.mark.parametrize("failures", [1, pause.ATTEMPTS - 1, pause.ATTEMPTS])
def test_a_service_that_the_kernel_could_not_freeze_is_tried_again(engine: Engine, failures: int) -> None:
    answers = iter([*["OCI runtime pause failed: unable to freeze: unknown"] * failures, None])

    def freeze() -> None:
        if reason := next(answers):
            raise refused(HTTPStatus.INTERNAL_SERVER_ERROR, reason)

    engine.at["pause", "redis"] = freeze
    end = pytest.raises(UserError, match="can't be paused") if failures == pause.ATTEMPTS else nullcontext()
    with end, pause.paused(engine.client, [*RUNNING]):
        assert engine.states() == dict.fromkeys(RUNNING, "paused")
    assert engine.states() == RUNNING


def test_a_service_that_ended_just_now_is_an_ordinary_failure(engine: Engine) -> None:
    engine.client.api.stop("redis")
    with pytest.raises(UserError, match="can't be paused") as raised, pause.paused(engine.client, [*RUNNING]):
        pytest.fail("it may be started again at any moment")
    assert "is exited" in raised.value.cause
    assert raised.value.remedy
    assert engine.states() == {**RUNNING, "redis": "exited"}


def test_a_service_that_was_resumed_meanwhile_is_no_obstacle(engine: Engine) -> None:
    with pause.paused(engine.client, [*RUNNING]):
        engine.client.api.unpause("postgres")
    assert engine.states() == RUNNING


def test_where_nothing_runs_nothing_is_done(engine: Engine) -> None:
    with pause.paused(engine.client, []) as moment:
        assert engine.states() == RUNNING
    assert moment.seconds == 0
    assert engine.files == {one: {MARK, "another"} for one in RUNNING}


def test_the_guard_waits_for_the_end_and_resumes_services(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    engine.answer(monkeypatch)
    states: list[dict[str, str]] = []

    class Input(io.StringIO):
        """The input that the watched process holds open."""

        def read(self, *_: object) -> str:
            states.append(engine.states())
            return ""

    monkeypatch.setattr("sys.stdin", Input())
    for service in RUNNING:
        engine.client.api.pause(service)
    pause.resume_when_parent_ends([*RUNNING])
    assert capsys.readouterr().out == "\n"
    assert states == [dict.fromkeys(RUNNING, "paused")]
    assert engine.states() == RUNNING
