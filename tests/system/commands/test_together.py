"""An environment beside another one, from nothing: what it fails with first doesn't keep it from coming up."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from infra.naming import COMPONENT_LABEL, SERVICES
from tests.system import environments
from tests.system.commands.additional import beside
from tests.system.running import succeed

if TYPE_CHECKING:
    from collections.abc import Iterator

    import docker

    from tests.system.checkout import Checkout


@pytest.fixture(scope="module")
def second(checkout: Checkout, client: docker.DockerClient) -> Iterator[Checkout]:
    """An additional environment, of its own because it must come up from nothing."""
    with beside(checkout, client, "too", "postgres", "redis") as made:
        yield made


def _services(client: docker.DockerClient, checkout: Checkout) -> set[str]:
    found = client.api.containers(all=True, filters=environments.labelled(checkout.stack))
    return {one["Labels"][COMPONENT_LABEL] for one in found} & {*SERVICES}


def test_one_that_does_not_become_healthy_in_time_is_given_up_in_good_order(second: Checkout) -> None:
    second.configure(health={"wait": "500ms"})
    try:
        done = second.dashtam("up", second.stack, "app")  # imports for longer than that
    finally:
        second.configure()
    assert done.returncode == 1
    assert "was not healthy within 0.5 s (dashtam:health.wait)." in done.stderr
    assert "panic" not in done.stderr
    assert "goroutine" not in done.stderr


def test_two_environments_come_up_and_are_stopped_in_one_command(
    small: Checkout, second: Checkout, client: docker.DockerClient
) -> None:
    """Once a container that holds one of the names is removed."""
    up = ("up", small.stack, second.stack, *small.services)
    succeed(small.dashtam("down", small.stack, second.stack))
    name = f"dashtam-{second.stack}-redis"
    holder = client.containers.create(small.outputs()["images"]["redis"], ["true"], name=name)
    try:
        refused = small.dashtam(*up)
        assert refused.returncode == 1
        assert f"The container name {name}, which {second.stack} needs, is taken" in " ".join(refused.stderr.split())
        assert _services(client, small) == _services(client, second) == set()
    finally:
        holder.remove(v=True)
    done = small.dashtam(*up)
    succeed(done)
    for stack in (small.stack, second.stack):
        assert environments.is_up(client, stack, services=small.services)
        assert f"{stack} is up" in done.stderr
    succeed(small.dashtam("down", small.stack, second.stack))
    assert _services(client, small) == _services(client, second) == set()
