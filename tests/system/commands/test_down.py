"""`down` keeps data, secrets and certificates, also when it is interrupted."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import docker
import pytest

from infra.naming import COMPONENT_LABEL, FILES, SERVICES
from tests.system import damage, environments, moments
from tests.system.running import succeed

if TYPE_CHECKING:
    from docker.models.containers import Container

    from tests.system.checkout import Checkout
    from tests.system.commands.contents import Contents

MOMENTS = {
    "update begun": (moments.update_begun, damage.kill_all),
    "app stopped": (moments.stopped("app"), damage.kill_group),
    "app removed": (moments.removed("app"), damage.kill_all),
    "postgres removed": (moments.removed("postgres"), damage.kill_group),
    "all removed": (moments.all_gone, damage.kill_all),
}
"""Spread over what `down` does, and what is killed then."""
ALWAYS = ("update begun", "postgres removed")
"""One before the first container is removed, and one after."""


def _secrets(checkout: Checkout) -> dict[str, Any]:
    outputs = checkout.outputs()
    return {name: outputs[name] for name in ("ca_certificate", "database_dsn", "redis_dsn")}


def _beside(small: Checkout, client: docker.DockerClient) -> Container:
    """Run a container of tests in the environment's network."""
    redis = client.containers.get(f"dashtam-{small.stack}-redis")
    return client.containers.run(
        redis.attrs["Image"],
        entrypoint=["cat"],
        name=f"dashtam-{small.stack}-tests",
        labels={**redis.labels, COMPONENT_LABEL: "tests"},
        network=f"dashtam-{small.stack}-network",
        stdin_open=True,
        detach=True,
    )


async def test_only_services_and_networks_are_removed_whatever_state_they_are_in(
    small: Checkout, small_contents: Contents, client: docker.DockerClient
) -> None:
    await small_contents.fill()
    before, secrets = await small_contents.digest(), _secrets(small)
    scene = moments.now(small, client)
    volumes = scene.volumes()
    assert volumes
    beside = _beside(small, client)
    assert beside.name in {one["Names"][0].lstrip("/") for one in client.api.containers()}
    client.containers.get(f"dashtam-{small.stack}-redis").stop()
    client.containers.get(f"dashtam-{small.stack}-postgres").remove(force=True)

    succeed(small.dashtam("down", small.stack))
    assert scene.containers() == {FILES: scene.before[FILES]}
    assert moments.network_gone(scene)
    assert scene.volumes() == volumes
    resources = json.loads(small.state().read_text())["checkpoint"]["latest"]["resources"]
    kinds = [one["type"] for one in resources]
    assert kinds.count("docker:index/container:Container") == 1
    assert "docker:index/network:Network" not in kinds
    assert kinds.count("docker:index/volume:Volume") == len(SERVICES) + 2
    again = succeed(small.dashtam("down", small.stack, "--json"))
    assert json.loads(again) == {"environments": [{"environment": small.stack}]}

    small.up()
    assert environments.is_up(client, small.stack, services=small.services)
    assert scene.containers()[FILES] == scene.before[FILES]
    assert _secrets(small) == secrets
    assert await small_contents.digest() == before
    succeed(small.pulumi("preview", "--stack", small.stack, "--expect-no-changes"))


@pytest.mark.parametrize("moment", ALWAYS)
async def test_up_continues_where_down_was_killed(
    small: Checkout, small_contents: Contents, client: docker.DockerClient, moment: str
) -> None:
    await _assert_continued(small, small_contents, client, moment)


@pytest.mark.campaign
@pytest.mark.parametrize("moment", MOMENTS)
async def test_up_continues_with_all_services_where_down_was_killed(
    checkout: Checkout, contents: Contents, client: docker.DockerClient, moment: str
) -> None:
    await _assert_continued(checkout, contents, client, moment)


async def _assert_continued(checkout: Checkout, contents: Contents, client: docker.DockerClient, moment: str) -> None:
    await contents.fill()
    before, secrets = await contents.digest(), _secrets(checkout)
    moments.kill(moments.now(checkout, client), *MOMENTS[moment], "down", checkout.stack)
    checkout.up()
    assert environments.is_up(client, checkout.stack, services=checkout.services or SERVICES)
    assert _secrets(checkout) == secrets
    assert await contents.digest() == before


@pytest.mark.campaign
def test_a_volume_that_was_removed_meanwhile_is_made_again(checkout: Checkout, client: docker.DockerClient) -> None:
    succeed(checkout.dashtam("down", checkout.stack))
    client.volumes.get(f"postgres_{checkout.stack}_data").remove()
    checkout.up()
    assert environments.is_up(client, checkout.stack)
    volume = client.volumes.get(f"postgres_{checkout.stack}_data")
    assert volume.attrs["Labels"]["dashtam.stack"] == checkout.stack
    succeed(checkout.pulumi("preview", "--stack", checkout.stack, "--expect-no-changes"))
