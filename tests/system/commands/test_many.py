"""Two checkouts that run the same stack at once.

The second one is a worktree of the first, and brings up an environment of its own: that is what is tested. That none
reaches another is in tests/system/environment/test_isolation.py, and that accounts are linked where ports are others in
test_named.py.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from cli.core.paths import account_home
from infra.naming import FILES
from tests.system import environments
from tests.system.checkout import Checkout
from tests.system.commands.beside import is_healthy, own, parts, places, remember, remembered, seen
from tests.system.running import run, succeed, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import docker

    from tests.system.environments import Environment

    Pair = tuple[Environment, Environment]


@pytest.fixture(scope="module")
def first(small: Checkout, client: docker.DockerClient) -> Checkout:
    """The checkout that brought the stack up first."""
    small.ensure_up(client)
    return small


@pytest.fixture(scope="module")
def announced() -> list[str]:
    """What the second checkout was told when it first brought the stack up."""
    return []


@pytest.fixture(scope="module")
def second(
    first: Checkout, announced: list[str], client: docker.DockerClient, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Checkout]:
    """A git worktree of the first one, of the same user, with the same stack up."""
    root = tmp_path_factory.mktemp("second") / "dashtam"
    succeed(run(["git", "worktree", "add", "--quiet", "-b", "second", str(root)], cwd=first.root))
    made = replace(first, root=root)
    made.configure()
    made.install()
    try:
        # In a shell that was set up for the first one, which is to direct nothing here.
        brought_up = made.dashtam("up", made.stack, *made.services, **first.tools)
        succeed(brought_up)
        announced += [line for line in brought_up.stderr.splitlines() if "Another clone" in line]
        yield made
    finally:
        environments.remove_all(client, made.stack, made.tools["DASHTAM_CLONE"])
        succeed(run(["git", "worktree", "remove", "--force", str(root)], cwd=first.root))
        succeed(run(["git", "branch", "--delete", "--force", "second"], cwd=first.root))


@pytest.fixture
def pair(first: Checkout, second: Checkout, client: docker.DockerClient) -> Pair:
    """The same stack in both, up and healthy."""
    both = seen(first, client), seen(second, client)
    wait_until(lambda: all(is_healthy(one) for one in both), "both healthy", 60)
    return both


def test_two_checkouts_run_the_same_stack(pair: Pair, first: Checkout, second: Checkout, announced: list[str]) -> None:
    plain, placed = pair
    assert plain.outputs.containers.postgres == f"dashtam-{first.stack}-postgres"
    assert plain.outputs.environment == placed.outputs.environment == first.stack
    assert parts(plain).isdisjoint(parts(placed))
    assert set(own(plain)) == set(own(placed)) == {*first.services, FILES}
    assert plain.outputs.ca_certificate != placed.outputs.ca_certificate
    assert len(announced) == 1
    assert str(placed.outputs.ports.postgres) in announced[0]
    assert first.backend != second.backend
    assert second.state().exists()
    assert [first.status(), second.status()] == ["", ""]


def test_plain_pulumi_does_the_same_in_the_second(pair: Pair, second: Checkout) -> None:
    before = own(pair[1])
    succeed(second.pulumi("up", "--stack", second.stack, "--yes", "--skip-preview", "--expect-no-changes"))
    assert own(pair[1]) == before


def test_the_first_is_destroyed_and_made_again_and_the_second_neither_moves_nor_loses_data(
    pair: Pair, first: Checkout, second: Checkout, client: docker.DockerClient
) -> None:
    before = [places(one) for one in pair]
    remember(pair[1], "seconds")
    running = own(pair[1])
    succeed(first.dashtam("destroy", first.stack, "--yes", "--no-snapshot"))
    assert own(pair[0]) == {}
    second.up()
    assert own(seen(second, client)) == running
    first.up()
    assert [places(seen(one, client)) for one in (first, second)] == before
    assert "seconds" in remembered(seen(second, client))
    assert [first.status(), second.status()] == ["", ""]


@pytest.mark.campaign
def test_the_second_is_destroyed_and_its_snapshot_comes_back_where_it_was(
    pair: Pair, first: Checkout, second: Checkout, client: docker.DockerClient
) -> None:
    before = places(pair[1])
    remember(pair[0], "firsts")
    remember(pair[1], "kept")
    running = own(pair[0])
    [done] = json.loads(succeed(second.dashtam("destroy", second.stack, "--yes", "--json")))["environments"]
    assert own(pair[1]) == {}
    assert is_healthy(pair[0])
    second.up()
    succeed(second.dashtam("snapshot", "restore", second.stack, done["snapshot"]["name"], "--yes"))
    assert places(seen(second, client)) == before
    assert "kept" in remembered(seen(second, client))
    assert own(pair[0]) == running
    assert "firsts" in remembered(pair[0])
    assert [first.status(), second.status()] == ["", ""]


def test_what_a_deleted_worktree_left_is_removed_by_the_command_that_is_named(
    pair: Pair, first: Checkout, second: Checkout
) -> None:
    running, remedy = own(pair[0]), ("clean", "--clone", second.tools["DASHTAM_CLONE"])
    refused = first.dashtam(*remedy, "--yes")
    assert refused.returncode == 1
    assert str(second.root) in refused.stderr
    deleted = second.root.rename(second.root.with_name("deleted"))
    try:
        shown = first.dashtam("status", "--all")
        assert f"`./dashtam {' '.join(remedy)}`" in shown.stderr
        assert own(pair[1])
        succeed(first.dashtam(*remedy, "--yes"))
    finally:
        deleted.rename(second.root)
    assert own(pair[1]) == {}
    assert own(pair[0]) == running
    second.up()
    assert first.status() == ""


@pytest.fixture
def at_home(first: Checkout) -> Iterator[str]:
    """The first one's backend by a path in the home of this account, as `pulumi login --local` has it."""
    link = account_home() / f".{first.stack}"
    link.symlink_to(first.backend)
    yield f"file://~/{link.name}"
    link.unlink()


TAKEN = "is another clone's here"
COMMANDS = {
    "variable": [["up", "postgres", "redis"], ["down"], ["destroy", "--yes"]],
    "login": [["destroy", "--yes", "--no-snapshot"]],
}


@pytest.mark.parametrize("by", COMMANDS)
def test_a_backend_that_both_use_has_one_owner(
    pair: Pair, first: Checkout, second: Checkout, at_home: str, by: str, tmp_path: Path
) -> None:
    remember(pair[0], "owners")
    running = own(pair[0])
    chosen = {"PULUMI_CONFIG_PASSPHRASE_FILE": first.tools["PULUMI_CONFIG_PASSPHRASE_FILE"]}
    if by == "variable":
        chosen["PULUMI_BACKEND_URL"] = first.tools["PULUMI_BACKEND_URL"]
    else:
        chosen["PULUMI_CREDENTIALS_PATH"] = str(tmp_path)
        unset = {name: value for name, value in second.tools.items() if name != "PULUMI_BACKEND_URL"}
        succeed(run(["pulumi", "login", at_home], cwd=second.root, env={**unset, **chosen}))
    for command in COMMANDS[by]:
        refused = second.dashtam(command[0], second.stack, *command[1:], **chosen)
        assert refused.returncode == 1
        assert TAKEN in refused.stderr
    if by == "variable":
        _assert_refused_by_pulumi(second, chosen)
    found = json.loads(succeed(second.dashtam("clean", "--dry-run", "--json", **chosen)))
    assert first.stack not in found["stacks"]
    assert own(pair[0]) == running
    assert "owners" in remembered(pair[0])
    assert is_healthy(pair[1])
    assert [first.status(), second.status()] == ["", ""]


def _assert_refused_by_pulumi(second: Checkout, chosen: dict[str, str]) -> None:
    plain = ["pulumi", "up", "--stack", second.stack, "--yes", "--skip-preview", "--non-interactive"]
    config = second.config_file.read_text()
    # Its salt is of its own passphrase.
    second.config_file.write_text(second.pristine)
    try:
        refused = run(plain, cwd=second.root, env={**second.tools, **chosen})
    finally:
        second.config_file.write_text(config)
    assert refused.returncode != 0
    assert TAKEN in refused.stdout
