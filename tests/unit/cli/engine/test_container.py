from __future__ import annotations

from typing import Any

import pytest

from cli.engine import container
from tests.unit.cli.conftest import MakeContainer
from tests.unit.cli.inspected import DOCUMENT


def _document(component: str, state: str, health: str, exit_code: int) -> dict[str, Any]:
    checks = {"Health": {"Status": health, "Log": []}} if health else {}
    return {
        **DOCUMENT,
        "Config": {**DOCUMENT["Config"], "Labels": {"dashtam.component": component}},
        "State": {"Status": state, "ExitCode": exit_code, "StartedAt": "", **checks},
    }


def test_a_container_as_the_engine_has_it() -> None:
    found = container.view(DOCUMENT)
    assert (found.id, found.name, found.image) == ("id-app", "dashtam-test-app", "dashtam/production:1")
    assert (found.component, found.stack, found.owner) == ("app", "test", "me")
    assert (found.state, found.health, found.checks) == ("running", "healthy", ((0, "ready"),))
    assert found.ports == {"8000/tcp": [8001], "8182/tcp": []}
    assert found.reload_check == ""


def test_the_check_of_a_server_that_reloads_is_known() -> None:
    config = {**DOCUMENT["Config"], "Cmd": ["python", "--reload"], "Healthcheck": {"Test": ["CMD-SHELL", "probe"]}}
    assert container.view({**DOCUMENT, "Config": config}).reload_check == "probe"
    del config["Healthcheck"]
    assert container.view({**DOCUMENT, "Config": config}).reload_check == ""


@pytest.mark.parametrize(
    ("component", "state", "health", "exit_code", "fine"),
    [
        ("app", "running", "healthy", 0, True),
        ("app", "running", "starting", 0, False),
        ("app", "running", "", 0, False),
        ("app", "exited", "healthy", 0, False),
        ("app", "paused", "healthy", 0, False),
        ("files", "exited", "", 0, True),
        ("files", "exited", "", 1, False),
        ("files", "created", "", 0, False),
        ("tests", "running", "", 0, True),
        ("tests", "exited", "", 0, False),
    ],
)
def test_what_is_as_up_leaves_it(component: str, state: str, health: str, exit_code: int, fine: bool) -> None:
    found = container.view(_document(component, state, health, exit_code))
    assert found.is_fine is fine
    assert found.is_service is (component == "app")
    assert container.made_by_updates(component) is (component != "tests")


@pytest.mark.parametrize(
    ("told", "health"),
    [
        ({}, ""),
        ({"Status": "starting", "FailingStreak": 0}, "starting"),
        ({"Status": "starting", "FailingStreak": 4}, "starting"),
        ({"Status": "healthy", "FailingStreak": 0}, "healthy"),
        ({"Status": "healthy", "FailingStreak": 2}, "healthy"),
        ({"Status": "unhealthy", "FailingStreak": 5}, "unhealthy"),
        # It was paused, and no check has ended since.
        ({"Status": "unhealthy", "FailingStreak": 0}, "starting"),
    ],
)
def test_health_is_what_checks_have_told(told: dict[str, Any], health: str) -> None:
    document = {**DOCUMENT, "State": {**DOCUMENT["State"], "Health": told}}
    assert container.view(document).health == health


@pytest.mark.parametrize(
    ("changes", "failed"),
    [
        ({}, False),
        ({"health": "starting"}, False),
        ({"state": "created", "health": ""}, False),
        ({"health": "unhealthy"}, True),
        ({"state": "exited", "health": ""}, True),
        ({"state": "restarting"}, True),
        ({"state": "dead"}, True),
        ({"component": "files", "state": "exited", "health": "", "exit_code": 0}, False),
        ({"component": "files", "state": "exited", "health": "", "exit_code": 1}, True),
        ({"component": "files", "state": "running", "health": ""}, False),
    ],
)
def test_what_counts_as_failed(container: MakeContainer, changes: dict[str, object], failed: bool) -> None:
    assert container(**changes).has_failed is failed
