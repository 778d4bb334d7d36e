"""An additional environment of one config, made by `up --name`, beside the one that it is made from."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.system import environments
from tests.system.commands.beside import is_healthy, own, parts, remember, remembered, seen
from tests.system.commands.walking import link
from tests.system.running import succeed

if TYPE_CHECKING:
    from collections.abc import Iterator

    import docker

    from tests.system.checkout import Checkout


@pytest.fixture
def name(checkout: Checkout, client: docker.DockerClient) -> Iterator[str]:
    """The name of an environment that is removed at the end, if it was made."""
    chosen = f"{checkout.stack}-x"
    yield chosen
    checkout.configure()
    if client.api.volumes(filters=environments.labelled(chosen))["Volumes"]:
        done = checkout.dashtam("destroy", chosen, "--yes", "--no-snapshot")
        environments.remove_all(client, chosen)
        succeed(done)


def test_it_is_made_follows_its_source_and_is_destroyed(
    checkout: Checkout, client: docker.DockerClient, name: str
) -> None:
    source = seen(checkout, client)
    remember(source, "sources")
    succeed(checkout.dashtam("up", checkout.stack, "--name", name))
    made = seen(checkout, client, name)
    assert parts(made).isdisjoint(parts(source))
    assert is_healthy(made)
    assert link(made.outputs, "ada").accounts == [("sandbox", "ada")]
    listed = json.loads(succeed(checkout.dashtam("status", "--json")))["environments"]
    assert name in {one["environment"] for one in listed}
    succeed(checkout.pulumi("preview", "--stack", name, "--expect-no-changes"))

    running = own(made)
    checkout.configure(app={"memory": "700m"})
    succeed(checkout.dashtam("up", name))
    followed = seen(checkout, client, name)
    assert followed.inspect("app")["HostConfig"]["Memory"] == 700 * 2**20
    assert own(followed) == running
    checkout.configure()

    # Its config is a link, without which it is still found.
    (checkout.root / f"Pulumi.{name}.yaml").unlink()
    succeed(checkout.dashtam("snapshot", "create", name))
    (checkout.root / f"Pulumi.{name}.yaml").unlink()
    succeed(checkout.dashtam("destroy", name, "--yes", "--no-snapshot"))
    assert own(made) == {}
    gone = checkout.dashtam("up", name)
    assert gone.returncode == 64
    assert f"There is no environment '{name}'" in gone.stderr
    assert is_healthy(source)
    assert "sources" in remembered(source)
    assert checkout.status() == ""
