"""An additional environment of one config, made by `up --name`, beside the one that it is made from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from infra.naming import SERVICES
from tests.system import environments
from tests.system.commands.beside import is_healthy, own, parts, remember, remembered, seen
from tests.system.commands.walking import link
from tests.system.running import succeed

if TYPE_CHECKING:
    from collections.abc import Iterator

    import docker

    from tests.system.checkout import Checkout
    from tests.system.environments import Environment


@pytest.fixture
def name(checkout: Checkout, client: docker.DockerClient) -> Iterator[str]:
    """The name of an environment that is removed at the end, if it was made."""
    chosen = f"{checkout.stack}-x"
    yield chosen
    checkout.configure()
    environments.remove_all(client, chosen)


def test_it_is_made_follows_its_source_and_is_destroyed(
    checkout: Checkout, client: docker.DockerClient, name: str
) -> None:
    source = seen(checkout, client)
    remember(source, "sources")
    succeed(checkout.dashtam("up", checkout.stack, "--name", name))
    made = seen(checkout, client, name)
    assert parts(made).isdisjoint(parts(source))
    assert is_healthy(made)
    _require_linked_in(made, besides=source)

    running = own(made)
    checkout.configure(app={"memory": "700m"})
    succeed(checkout.dashtam("up", name))
    followed = seen(checkout, client, name)
    assert followed.inspect("app")["HostConfig"]["Memory"] == 700 * 2**20
    assert own(followed) == running
    checkout.configure()

    # Its config is a link, without which it is still found.
    config = checkout.root / f"Pulumi.{name}.yaml"
    for words in ("status", "certs", "export compose", "env", "destroy --yes --no-snapshot"):
        config.unlink(missing_ok=True)
        succeed(checkout.dashtam(*words.split(), name))
    assert own(made) == {}
    assert not config.is_symlink()
    assert not checkout.state(name).exists()
    assert is_healthy(source)
    assert "sources" in remembered(source)
    assert checkout.status() == ""


def _require_linked_in(made: Environment, besides: Environment) -> None:
    """Link an account, on whose way nothing leads to the other environment."""
    walk = link(made.outputs, "ada")
    assert walk.accounts == [("sandbox", "ada")]
    assert f"{made.outputs.oauth_redirect_uri}/" in walk.visited
    assert any(address.startswith(f"{made.outputs.urls.sandbox}/") for address in walk.visited)
    foreign = [f":{port}/" for port in besides.outputs.ports.model_dump().values() if port]
    assert len(foreign) == len(SERVICES)
    assert [address for address in walk.visited if any(port in address for port in foreign)] == []
