from __future__ import annotations

from pathlib import Path
from unittest.mock import Mock

import pytest

from cli import clean, placements
from cli.clone import Clone
from cli.errors import UserError
from cli.recorded import Recorded, Resource
from infra.naming import OWNER_LABEL
from infra.placement import Placement, plain
from tests.unit.cli.conftest import MakeContainer

STATES = {
    "dev": {"id-app", "net", "data"},
    "gone": {"id-gone"},
    "shared": {"id-theirs"},
    "far": {"id-far"},
    "empty": set(),
}
OWNERS = {"dev": "me", "far": "another"}
"""Whose the labels are; "far" is another clone's, on another machine."""


@pytest.fixture
def view(container: MakeContainer) -> Mock:
    """An engine with an environment of this clone, and a container of another."""
    volumes = {"postgres_dev_data", "dashtam-dev-app-files"}
    return Mock(
        containers=Mock(return_value=[container()]),
        networks=Mock(return_value={"dashtam-dev-network": "net"}),
        volumes=Mock(return_value=volumes),
        ids=Mock(return_value={"id-app", "net", "id-theirs", *volumes}),
    )


@pytest.fixture
def pulumi(monkeypatch: pytest.MonkeyPatch) -> Mock:
    def read(_: Clone, stack: str, environ: object) -> Recorded:
        assert environ == {}
        labels = [{"label": OWNER_LABEL, "value": OWNERS[stack]}] if stack in OWNERS else []
        return Recorded([Resource("kind", "name", one, outputs={"labels": labels}) for one in ("", *STATES[stack])])

    monkeypatch.setattr("cli.recorded.read", read)
    return Mock(stacks=Mock(return_value=set(STATES)), environ={})


def test_data_is_told_apart_and_a_state_that_tells_of_others_is_left(view: Mock, pulumi: Mock, tmp_path: Path) -> None:
    assert clean.find(view, pulumi, Clone("me", tmp_path, tmp_path)).named() == {
        "containers": ["dashtam-test-app"],
        "networks": ["dashtam-dev-network"],
        "volumes": ["dashtam-dev-app-files"],
        "data": ["postgres_dev_data"],
        "stacks": ["dev", "gone"],
        "lost": [],
    }
    for asked in (view.containers, view.networks):
        asked.assert_called_once_with(None, "me")
    view.volumes.assert_called_once_with("me")


@pytest.mark.usefixtures("data_home")
def test_what_was_found_is_removed_and_data_last(view: Mock, pulumi: Mock, tmp_path: Path) -> None:
    clone = Clone("me", tmp_path, tmp_path)
    clean.remove(view, pulumi, clone, clean.find(view, pulumi, clone), print)
    removed = [(call[0], call.args) for call in view.mock_calls if call[0].startswith("remove")]
    assert removed == [
        ("remove_container", ("id-app",)),
        ("remove_network", ("net",)),
        ("remove_volume", ("dashtam-dev-app-files",)),
        ("remove_volume", ("postgres_dev_data",)),
    ]
    forgotten = [call.args[2] for call in pulumi.run.mock_calls]
    assert forgotten == ["dev", "gone"]


@pytest.mark.usefixtures("data_home")
def test_it_looks_again_in_its_turn(view: Mock, pulumi: Mock, tmp_path: Path, container: MakeContainer) -> None:
    clone = Clone("me", tmp_path, tmp_path)
    agreed = clean.find(view, pulumi, clone)
    view.containers.return_value = [container(id="id-new")]
    removed = clean.remove(view, pulumi, clone, agreed, print)
    assert [one.id for one in removed.containers] == ["id-new"]
    view.remove_container.assert_called_once_with("id-new")


@pytest.mark.usefixtures("data_home")
def test_data_that_came_meanwhile_is_not_removed(view: Mock, pulumi: Mock, tmp_path: Path) -> None:
    clone = Clone("me", tmp_path, tmp_path)
    agreed = clean.find(view, pulumi, clone)
    view.volumes.return_value = {*view.volumes.return_value, "postgres_test_data"}
    with pytest.raises(UserError, match="postgres_test_data that was not there before"):
        clean.remove(view, pulumi, clone, agreed, print)
    assert not [call for call in view.mock_calls if call[0].startswith("remove")]
    pulumi.run.assert_not_called()


@pytest.mark.usefixtures("data_home")
def test_a_further_environment_that_was_removed_is_forgotten(view: Mock, pulumi: Mock, tmp_path: Path) -> None:
    here = Clone("me", tmp_path, tmp_path)
    placements.write(here, {"dev": plain("dev"), "gone": Placement(source="dev", name="gone"), "else": plain("else")})
    (tmp_path / "Pulumi.dev.yaml").write_text("config: {}\n")
    (tmp_path / "Pulumi.gone.yaml").symlink_to("Pulumi.dev.yaml")
    clean.remove(view, pulumi, here, clean.find(view, pulumi, here), print)
    assert placements.recorded(here) == {"else": plain("else")}
    assert [path.name for path in tmp_path.glob("Pulumi.*.yaml")] == ["Pulumi.dev.yaml"]
