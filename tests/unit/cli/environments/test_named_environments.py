from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest

from cli.core.errors import UserError
from cli.environments import clone as clones
from cli.environments import named_environments, placements
from cli.environments.clone import Clone
from cli.environments.configuration import configured_stacks
from infra.config.placement import plain
from tests.unit.cli.conftest import git
from tests.unit.cli.environments.test_allocation import CONFIG, FakeView

if TYPE_CHECKING:
    from cli.pulumi.process import Pulumi


@dataclass
class FakePulumi:
    """Notes what it is asked."""

    asked: list[tuple[str, ...]] = field(default_factory=list)

    def run(self, *arguments: str) -> str:
        self.asked.append(arguments)
        return ""

    def may_lack(self, stacks: list[str]) -> bool:
        return bool(stacks)

    def create_missing(self, stacks: list[str]) -> None:
        self.asked.append(("create", *stacks))


@dataclass
class FakeSession:
    """A clone on an engine that holds nothing."""

    clone: Clone
    engine: FakeView = field(default_factory=FakeView)
    pulumi: FakePulumi = field(default_factory=FakePulumi)


@pytest.fixture
def session(repository: Path, data_home: Path) -> FakeSession:
    assert not data_home.exists()
    (repository / "Pulumi.dev.yaml").write_text(CONFIG)
    (repository / "Pulumi.test.yaml").write_text(CONFIG)
    git(repository, "add", "--all")
    git(repository, "commit", "--quiet", "-m", "Configs")
    return FakeSession(clones.current(repository))


def _make(session: FakeSession, source: str, name: str) -> None:
    named_environments.make(cast("Pulumi", session.pulumi), session.engine, session.clone, source, name)


def _forget(session: FakeSession, name: str) -> None:
    named_environments.forget(cast("Pulumi", session.pulumi), session.clone, name)


def test_its_config_is_its_sources_and_git_sees_nothing(session: FakeSession) -> None:
    _make(session, "dev", "feature-x")
    link = session.clone.root / "Pulumi.feature-x.yaml"
    assert link.readlink() == Path("Pulumi.dev.yaml")
    assert "feature-x" in configured_stacks(session.clone.root)
    assert placements.of(session.clone, "feature-x").source == "dev"
    assert session.pulumi.asked == [("create", "dev", "feature-x", "test")]
    assert git(session.clone.root, "status", "--porcelain") == ""


def test_a_config_that_can_not_be_read_is_no_obstacle(session: FakeSession) -> None:
    (session.clone.root / "Pulumi.test.yaml").write_text("config: [")
    _make(session, "dev", "feature-x")
    assert session.pulumi.asked == [("create", "dev", "feature-x")]


def test_making_it_again_changes_nothing(session: FakeSession) -> None:
    _make(session, "dev", "feature-x")
    before = placements.recorded(session.clone)
    exclude = (session.clone.root / ".git/info/exclude").read_text()
    _make(session, "dev", "feature-x")
    assert placements.recorded(session.clone) == before
    assert (session.clone.root / ".git/info/exclude").read_text() == exclude


def test_one_made_of_a_further_one_has_the_same_source(session: FakeSession) -> None:
    _make(session, "dev", "feature-x")
    _make(session, "feature-x", "feature-y")
    assert (session.clone.root / "Pulumi.feature-y.yaml").readlink() == Path("Pulumi.dev.yaml")
    assert placements.of(session.clone, "feature-y").source == "dev"


@pytest.mark.parametrize(
    ("source", "name", "message"),
    [
        ("nope", "feature-x", "There is no environment 'nope'"),
        ("dev", "Feature_X", "'Feature_X' can't be an environment's name"),
        ("dev", "x" * 41, "can't be an environment's name"),
        ("dev", "", "'' can't be an environment's name"),
        ("dev", "../up", "can't be an environment's name"),
        ("dev", "redis", "'redis' can't be an environment's name"),
        ("dev", "test", "There is an environment test already"),
        ("dev", "dev", "There is an environment dev already"),
        ("dev", "of-test", "of-test was made from test, not from dev"),
    ],
)
def test_what_cannot_be_is_refused(session: FakeSession, source: str, name: str, message: str) -> None:
    _make(session, "test", "of-test")
    before = placements.recorded(session.clone)
    with pytest.raises(UserError, match=message) as raised:
        _make(session, source, name)
    assert raised.value.exit_status == 64
    assert placements.recorded(session.clone) == before
    assert configured_stacks(session.clone.root) == ["dev", "of-test", "test"]


def test_forgetting_leaves_no_trace_and_its_sources_config(session: FakeSession) -> None:
    exclude = session.clone.root / ".git/info/exclude"
    before = exclude.read_text()
    _make(session, "dev", "feature-x")
    _forget(session, "feature-x")
    assert session.pulumi.asked[-1] == ("stack", "rm", "feature-x", "--yes", "--preserve-config")
    assert configured_stacks(session.clone.root) == ["dev", "test"]
    assert placements.recorded(session.clone) == {}
    assert exclude.read_text() == before
    assert (session.clone.root / "Pulumi.dev.yaml").read_text() == CONFIG


def test_forgetting_a_stack_with_a_config_of_its_own_keeps_it(session: FakeSession) -> None:
    placements.write(session.clone, {"dev": plain("dev")})
    _forget(session, "dev")
    assert session.pulumi.asked == []
    assert placements.recorded(session.clone) == {}
    assert "dev" in configured_stacks(session.clone.root)


def test_a_link_that_was_cleaned_away_is_restored(session: FakeSession) -> None:
    _make(session, "dev", "feature-x")
    git(session.clone.root, "clean", "-dffx")
    assert configured_stacks(session.clone.root) == ["dev", "test"]
    named_environments.restore(session.clone)
    assert configured_stacks(session.clone.root) == ["dev", "feature-x", "test"]
    assert git(session.clone.root, "status", "--porcelain") == ""


def test_a_config_of_ones_own_takes_the_place_of_the_link(session: FakeSession) -> None:
    _make(session, "dev", "feature-x")
    file = session.clone.root / "Pulumi.feature-x.yaml"
    file.unlink()
    file.write_text("config: {}\n")
    named_environments.restore(session.clone)
    _forget(session, "feature-x")
    assert file.read_text() == "config: {}\n"


def test_a_source_that_is_gone_is_not_made_anew(session: FakeSession) -> None:
    _make(session, "dev", "feature-x")
    (session.clone.root / "Pulumi.dev.yaml").unlink()
    named_environments.restore(session.clone)
    assert not (session.clone.root / "Pulumi.dev.yaml").exists()
    assert configured_stacks(session.clone.root) == ["test"]


def test_another_worktree_goes_on_ignoring_its_own(session: FakeSession, tmp_path: Path) -> None:
    second = tmp_path / "second"
    git(session.clone.root, "worktree", "add", "--quiet", "-b", "second", str(second))
    there = FakeSession(clones.current(second))
    for one in (session, there):
        _make(one, "dev", "feature-x")
    _forget(session, "feature-x")
    assert git(second, "status", "--porcelain") == ""
    _forget(there, "feature-x")
    assert "feature-x" not in (session.clone.root / ".git/info/exclude").read_text()


def test_a_folder_without_git_has_further_environments_too(tmp_path: Path, data_home: Path) -> None:
    assert not data_home.exists()
    root = tmp_path / "unpacked"
    root.mkdir()
    (root / "Pulumi.dev.yaml").write_text(CONFIG)
    session = FakeSession(clones.current(root))
    _make(session, "dev", "feature-x")
    assert configured_stacks(root) == ["dev", "feature-x"]
    _forget(session, "feature-x")
    assert configured_stacks(root) == ["dev"]
