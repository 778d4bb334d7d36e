from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from unittest.mock import Mock

import pytest
from docker.errors import APIError, ImageNotFound, NotFound

from cli.core.errors import UserError
from cli.engine import temporary_container
from infra.naming import Naming
from tests.unit.cli.engine_double import Engine, refused

if TYPE_CHECKING:
    from pathlib import Path

NAMING = Naming("dev", "me")
NAME = NAMING.container("tests")
SETTINGS: dict[str, Any] = {"entrypoint": ["cat"], "user": "1:1", "mounts": [], "mem_limit": "1g", "tmpfs": {}}


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return Engine(tmp_path)


def _run(engine: Engine) -> dict[str, str]:
    """Return the states of all containers while one runs."""
    with temporary_container.running(engine.client, NAMING, "tests", "image", **SETTINGS):
        return engine.states()


def test_it_replaces_what_a_killed_command_left_and_is_removed_at_the_end(engine: Engine) -> None:
    engine.run("tests")
    assert _run(engine) == {"made-1": "running"}
    assert engine.containers == {}


def test_a_stranger_with_its_name_is_left_alone(engine: Engine) -> None:
    engine.run("tests", owner="somebody")
    with pytest.raises(UserError, match=f"The container {NAME} can't be made") as raised:
        _run(engine)
    assert f"docker rename {NAME} NAME" in raised.value.remedy
    assert engine.states() == {"tests": "running"}


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (ImageNotFound("x"), "is not here"),
        (refused(HTTPStatus.INTERNAL_SERVER_ERROR, "no cgroup"), "can't be made"),
    ],
)
def test_an_engine_that_refuses_is_reported_with_a_remedy(engine: Engine, error: APIError, message: str) -> None:
    def refuse() -> None:
        raise error

    engine.at["create", NAME] = refuse
    with pytest.raises(UserError, match=message) as raised:
        _run(engine)
    assert "./dashtam" in raised.value.remedy


@pytest.mark.parametrize("gone", [NotFound("gone"), APIError("dead")])
def test_one_that_is_removed_by_itself_is_fine(gone: APIError) -> None:
    client = Mock()
    client.containers.get.return_value = Mock(labels=NAMING.labels("tests"), id="id-helper")
    client.api.remove_container.side_effect = gone
    temporary_container.remove(client, NAMING, NAME)
    # By its id: by then another may have the name.
    client.api.remove_container.assert_called_once_with("id-helper", v=True, force=True)
