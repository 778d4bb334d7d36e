from __future__ import annotations

import os
import signal
from contextlib import nullcontext
from unittest.mock import Mock, call

import pytest
from docker.errors import APIError

from cli.core import signals
from cli.core.errors import UserError
from cli.environments.handle import EnvironmentHandle
from cli.operations.restart import in_order, restart_containers
from infra.naming import SERVICES
from tests.unit.cli.conftest import MakeContainer


@pytest.mark.parametrize(
    ("services", "expected"),
    [
        (SERVICES, [{"postgres", "redis"}, {"sandbox"}, {"app"}, {"callback"}]),
        (("callback", "postgres"), [{"postgres"}, {"callback"}]),
        (("app",), [{"app"}]),
        ((), []),
    ],
)
def test_who_is_needed_comes_first(
    container: MakeContainer, services: tuple[str, ...], expected: list[set[str]]
) -> None:
    batches = in_order([container(component=service) for service in services])
    assert [{one.component for one in batch} for batch in batches] == expected


def test_what_was_stopped_runs_again_though_another_can_not_be_stopped(container: MakeContainer) -> None:
    services = {name: container(component=name, id=name, name=name) for name in ("app", "postgres")}
    view = Mock()
    view.stop.side_effect = lambda key: _refuse() if key == "postgres" else None
    with pytest.raises(UserError, match="not healthy after the restart") as raised:
        restart_containers(_environment(view), services.values(), Mock())
    assert "postgres: it is stuck" in raised.value.cause
    assert view.mock_calls[:4] == [
        call.stop("app"),
        call.stop("postgres"),
        call.start("postgres"),
        call.start("app"),
    ]


@pytest.mark.parametrize("moment", ["stop", "start"])
def test_what_was_stopped_runs_again_though_a_signal_came(container: MakeContainer, moment: str) -> None:
    running = {"app", "postgres"}
    services = [container(component=name, id=name, name=name) for name in sorted(running)]

    def change(which: str, key: str) -> None:
        if which == moment and key == "postgres":
            os.kill(os.getpid(), signal.SIGTERM)
        (running.discard if which == "stop" else running.add)(key)

    view = Mock()
    view.stop.side_effect = lambda key: change("stop", key)
    view.start.side_effect = lambda key: change("start", key)
    with signals.raised():
        with pytest.raises(KeyboardInterrupt):
            restart_containers(_environment(view), services, Mock())
        assert signals.status() == 128 + signal.SIGTERM
    assert running == {"app", "postgres"}
    assert view.stop.called


@pytest.mark.parametrize("broken", [("app",), ()])
def test_only_what_was_restarted_is_waited_for_and_what_has_failed_is_reported(
    container: MakeContainer, broken: tuple[str, ...]
) -> None:
    health = {one: "unhealthy" if one in broken else "healthy" for one in ("app", "redis")} | {"postgres": "unhealthy"}
    services = {name: container(component=name, id=name, name=name, health=health[name]) for name in health}
    view, progress = Mock(), Mock()
    view.containers.return_value = [*services.values()]
    view.services.return_value = []
    view.last_lines.return_value = []
    with pytest.raises(UserError, match="not healthy after the restart") if broken else nullcontext():
        restart_containers(_environment(view), [services["app"], services["redis"]], progress)
    assert (call.show("app", "failed") in progress.mock_calls) is bool(broken)


def _environment(view: Mock) -> EnvironmentHandle:
    return EnvironmentHandle("test", Mock(id="me"), view)


def _refuse() -> None:
    raise APIError("refused", explanation="it is stuck")
