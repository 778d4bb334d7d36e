"""Many environments at once: two checkouts that run the same stack, and further environments of one config."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from infra.naming import COMPONENT_LABEL, OWNER_LABEL, SERVICES
from infra.outputs import StackOutputs
from tests.system import environments
from tests.system.checkout import Checkout
from tests.system.commands.walking import link
from tests.system.environments import INNER_PORTS, Environment
from tests.system.running import run, succeed, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    import docker

    Pair = tuple[Environment, Environment]

REACH = """
import json, socket, sys
reached = []
for host, port in json.loads(sys.argv[1]):
    try:
        socket.create_connection((host, port), 2).close()
        reached.append([host, port])
    except OSError:
        pass
print(json.dumps(reached))
"""


@pytest.fixture(scope="module")
def first(checkout: Checkout) -> Checkout:
    """The checkout that brought the stack up first."""
    return checkout


@pytest.fixture(scope="module")
def announced() -> list[str]:
    """What the second checkout was told when it first brought the stack up."""
    return []


@pytest.fixture(scope="module")
def second(first: Checkout, announced: list[str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    """A git worktree of the first one, of the same user, with the same stack up and no file edited."""
    root = tmp_path_factory.mktemp("second") / "dashtam"
    succeed(run(["git", "worktree", "add", "--quiet", "-b", "second", str(root)], cwd=first.root))
    made = Checkout(root, first.data, first.stack, first.pristine)
    try:
        brought_up = made.dashtam("up", made.stack)
        succeed(brought_up)
        announced += [line for line in brought_up.stderr.splitlines() if "Another clone" in line]
        yield made
    finally:
        done = made.dashtam("destroy", made.stack, "--yes", "--no-snapshot")
        succeed(run(["git", "worktree", "remove", "--force", str(root)], cwd=first.root))
        succeed(run(["git", "branch", "--delete", "--force", "second"], cwd=first.root))
    succeed(done)


@pytest.fixture
def pair(first: Checkout, second: Checkout, client: docker.DockerClient) -> Pair:
    """The same stack in both, up and healthy."""
    both = seen(first, client), seen(second, client)
    wait_until(lambda: all(is_healthy(one) for one in both), "both healthy", 60)
    return both


def seen(checkout: Checkout, client: docker.DockerClient, stack: str = "") -> Environment:
    """Return an environment of a checkout as it is now."""
    name = stack or checkout.stack
    outputs = StackOutputs.model_validate(checkout.outputs(name))
    return Environment(name, checkout.root, checkout.tools, outputs, client)


def own(environment: Environment) -> dict[str, str]:
    """Return the ids of all containers of an environment, by component."""
    chosen = environments.labelled(environment.name)
    assert isinstance(chosen["label"], list)
    labels = [*chosen["label"], f"{OWNER_LABEL}={environment.environ['DASHTAM_CLONE']}"]
    found = environment.client.containers.list(all=True, filters={"label": labels})
    return {one.labels[COMPONENT_LABEL]: one.id or "" for one in found}


def is_healthy(environment: Environment) -> bool:
    """Tell whether all services of an environment are healthy; their names are its own."""
    return all(environment.container(service).health == "healthy" for service in SERVICES)


def places(environment: Environment) -> dict[str, Any]:
    """Return the outputs that say where an environment is."""
    kept = {"network", "containers", "volumes", "ports", "urls", "oauth_redirect_uri"}
    return environment.outputs.model_dump(mode="json", include=kept)


def parts(environment: Environment) -> set[object]:
    """Return every name and port that an environment has to itself."""
    outputs = environment.outputs
    found = {outputs.network, *outputs.volumes.values(), *outputs.containers.model_dump().values()}
    return {*found, *outputs.ports.model_dump().values()}


def remember(environment: Environment, value: str) -> None:
    """Write something into an environment's database."""
    made = "CREATE TABLE IF NOT EXISTS kept_by_many (value text)"
    filled = f"INSERT INTO kept_by_many VALUES ('{value}')"  # noqa: S608 - our own
    status, said = query(environment, f"{made}; {filled}")
    assert status == 0, said


def remembered(environment: Environment) -> list[str]:
    """Return what was written into an environment's database."""
    status, said = query(environment, "SELECT value FROM kept_by_many ORDER BY value")
    return said.split() if status == 0 else []


def query(environment: Environment, sql: str) -> tuple[int, str]:
    script = 'PGPASSWORD="$(cat /run/secrets/password)" psql -qtA "$POSTGRES_DB" "$POSTGRES_USER" -c "$1"'
    return environment.execute("postgres", "sh", "-euc", script, "sh", sql)


def test_two_checkouts_run_the_same_stack(pair: Pair, first: Checkout, second: Checkout, announced: list[str]) -> None:
    plain, placed = pair
    assert plain.outputs.containers.postgres == f"dashtam-{first.stack}-postgres"
    assert plain.outputs.environment == placed.outputs.environment == first.stack
    assert parts(plain).isdisjoint(parts(placed))
    assert set(own(plain)) == set(own(placed)) == {*SERVICES, *(f"{service}-files" for service in SERVICES)}
    assert plain.outputs.ca_certificate != placed.outputs.ca_certificate
    assert len(announced) == 1
    assert str(placed.outputs.ports.app) in announced[0]
    assert [first.status(), second.status()] == ["", ""]


@pytest.mark.parametrize("which", [0, 1])
def test_plain_pulumi_does_the_same(pair: Pair, first: Checkout, second: Checkout, which: int) -> None:
    checkout = (first, second)[which]
    succeed(checkout.pulumi("preview", "--stack", checkout.stack, "--expect-no-changes"))
    before = own(pair[which])
    succeed(checkout.pulumi("up", "--stack", checkout.stack, "--yes", "--skip-preview"))
    assert own(pair[which]) == before


@pytest.mark.parametrize("which", [0, 1])
def test_accounts_are_linked_in_both(pair: Pair, which: int) -> None:
    here, other = pair[which].outputs, pair[1 - which].outputs
    walk = link(here, "ada")
    assert walk.accounts == [("sandbox", "ada")]
    assert f"{here.oauth_redirect_uri}/" in walk.visited
    assert any(address.startswith(f"{here.urls.sandbox}/") for address in walk.visited)
    assert not any(f":{port}/" in address for port in other.ports.model_dump().values() for address in walk.visited)


@pytest.mark.parametrize("which", [0, 1])
def test_neither_reaches_the_other(pair: Pair, which: int) -> None:
    here, other = pair[which], pair[1 - which]
    inside = [[here.address(service), INNER_PORTS[service]] for service in SERVICES]
    beyond = [
        [host, INNER_PORTS[service]]
        for service in SERVICES
        for host in (other.address(service), getattr(other.outputs.containers, service))
    ]
    assert json.loads(here.run_beside("app", REACH, json.dumps([*inside, *beyond]))) == inside


def test_both_keep_their_places_and_neither_loses_the_others_data(
    pair: Pair, first: Checkout, second: Checkout, client: docker.DockerClient
) -> None:
    before = [places(one) for one in pair]
    remember(pair[1], "seconds")
    succeed(second.dashtam("down", second.stack))
    assert own(pair[1]) == {}
    second.up()
    assert places(seen(second, client)) == before[1]
    # The first one goes, and comes again; the second one neither moves nor loses anything.
    running = own(seen(second, client))
    succeed(first.dashtam("destroy", first.stack, "--yes", "--no-snapshot"))
    second.up()
    assert own(seen(second, client)) == running
    first.up()
    assert places(seen(first, client)) == before[0]
    assert remembered(seen(second, client)) == ["seconds"]
    # The second one goes, and comes again.
    remember(seen(first, client), "firsts")
    succeed(second.dashtam("destroy", second.stack, "--yes", "--no-snapshot"))
    assert is_healthy(seen(first, client))
    second.up()
    assert places(seen(second, client)) == before[1]
    assert remembered(seen(first, client)) == ["firsts"]
    assert remembered(seen(second, client)) == []
    assert [first.status(), second.status()] == ["", ""]


def test_a_backend_that_both_use_has_one_owner(pair: Pair, first: Checkout, second: Checkout) -> None:
    remember(pair[0], "owners")
    running = own(pair[0])
    chosen = {name: first.tools[name] for name in ("PULUMI_BACKEND_URL", "PULUMI_CONFIG_PASSPHRASE_FILE")}
    said = "another clone's in this state backend"
    for command in (["up"], ["down"], ["destroy", "--yes"], ["destroy", "--yes", "--no-snapshot"]):
        refused = second.dashtam(command[0], second.stack, *command[1:], **chosen)
        assert refused.returncode == 1
        assert said in refused.stderr
    plain = ["pulumi", "up", "--stack", second.stack, "--yes", "--skip-preview", "--non-interactive"]
    config = second.config_file.read_text()
    # Its salt is of its own passphrase.
    second.config_file.write_text(second.pristine)
    refused = run(plain, cwd=second.root, env={**second.tools, **chosen})
    second.config_file.write_text(config)
    assert refused.returncode != 0
    assert said in refused.stdout
    found = json.loads(succeed(second.dashtam("clean", "--dry-run", "--json", **chosen)))
    assert first.stack not in found["stacks"]
    assert own(pair[0]) == running
    assert "owners" in remembered(pair[0])
    assert is_healthy(pair[1])
    assert [first.status(), second.status()] == ["", ""]


def test_data_is_kept_and_put_back_where_it_is(pair: Pair, second: Checkout) -> None:
    remember(pair[1], "kept")
    before = remembered(pair[1])
    succeed(second.dashtam("snapshot", "create", second.stack, "one"))
    remember(pair[1], "lost")
    succeed(second.dashtam("snapshot", "restore", second.stack, "one", "--yes"))
    assert remembered(pair[1]) == before
    query(pair[1], "DELETE FROM kept_by_many WHERE value = 'kept'")
    succeed(second.dashtam("snapshot", "delete", second.stack, "one"))


def test_a_further_environment_of_one_config(
    pair: Pair, first: Checkout, second: Checkout, client: docker.DockerClient
) -> None:
    name = f"{first.stack}-x"
    make = ("up", first.stack, "--name", name)
    try:
        succeed(first.dashtam(*make))
        further = seen(first, client, name)
        everything = [parts(each) for each in (*pair, further)]
        assert len(set().union(*everything)) == sum(len(each) for each in everything)
        assert is_healthy(further)
        assert link(further.outputs, "ada").accounts == [("sandbox", "ada")]
        assert name in json.loads(succeed(first.dashtam("status", "--json")))["environments"]
        # Again, by the same words, by its name alone, and by plain Pulumi: nothing changes.
        running = own(further)
        for words in (make, ("up", name)):
            succeed(first.dashtam(*words))
            assert own(seen(first, client, name)) == running
        succeed(first.pulumi("preview", "--stack", name, "--expect-no-changes"))
        # It follows its source's config.
        first.configure(app={"memory": "700m"})
        succeed(first.dashtam("up", name))
        assert seen(first, client, name).inspect("app")["HostConfig"]["Memory"] == 700 * 2**20
        first.configure()
        # It goes, also where the link that is its config was cleaned away; what it was made from stays with its data.
        remember(pair[0], "sources")
        succeed(first.dashtam("snapshot", "create", name))
        (first.root / f"Pulumi.{name}.yaml").unlink()
        assert len(json.loads(succeed(first.dashtam("snapshot", "list", name, "--json")))) == 1
        (first.root / f"Pulumi.{name}.yaml").unlink()
        succeed(first.dashtam("destroy", name, "--yes", "--no-snapshot"))
        assert own(further) == {}
        gone = first.dashtam("up", name)
        assert gone.returncode == 2
        assert f"There is no environment '{name}'" in gone.stderr
        assert is_healthy(pair[0])
        assert "sources" in remembered(pair[0])
        assert [first.status(), second.status()] == ["", ""]
    finally:
        first.configure()
        first.dashtam("destroy", name, "--yes", "--no-snapshot")
        environments.remove_all(client, name)


def test_a_name_that_cannot_be_is_refused_before_anything_is_made(pair: Pair, first: Checkout) -> None:
    for words in (
        (first.stack, "--name", "Feature_X"),
        (first.stack, "--name", "dev"),
        (first.stack, "test", "--name", "feature-x"),
        ("nope", "--name", "feature-x"),
    ):
        refused = first.dashtam("up", *words)
        assert refused.returncode == 2
        assert "Traceback" not in refused.stderr
        assert "What to do:" in refused.stderr
    assert json.loads(succeed(first.dashtam("status", "--json")))["environments"] == sorted(
        ["ci", "dev", "test", first.stack]
    )
    assert is_healthy(pair[0])
