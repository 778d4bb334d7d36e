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


def _beside(checkout: Checkout, client: docker.DockerClient) -> Container:
    """Run a container of tests in the environment's network."""
    app = client.containers.get(f"dashtam-{checkout.stack}-app")
    return client.containers.run(
        app.attrs["Image"],
        ["-c", "import sys; sys.stdin.read()"],
        entrypoint=["python"],
        name=f"dashtam-{checkout.stack}-tests",
        labels={**app.labels, COMPONENT_LABEL: "tests"},
        network=f"dashtam-{checkout.stack}-network",
        stdin_open=True,
        detach=True,
    )


async def test_only_services_and_networks_are_removed_whatever_state_they_are_in(
    checkout: Checkout, contents: Contents, client: docker.DockerClient
) -> None:
    await contents.fill()
    before, secrets = await contents.digest(), _secrets(checkout)
    scene = moments.now(checkout, client)
    volumes = scene.volumes()
    assert volumes
    beside = _beside(checkout, client)
    assert beside.name in {one["Names"][0].lstrip("/") for one in client.api.containers()}
    client.containers.get(f"dashtam-{checkout.stack}-callback").stop()
    client.containers.get(f"dashtam-{checkout.stack}-sandbox").remove(force=True)

    succeed(checkout.dashtam("down", checkout.stack))
    assert scene.containers() == {FILES: scene.before[FILES]}
    assert moments.network_gone(scene)
    assert scene.volumes() == volumes
    resources = json.loads(checkout.state().read_text())["checkpoint"]["latest"]["resources"]
    kinds = [one["type"] for one in resources]
    assert kinds.count("docker:index/container:Container") == 1
    assert "docker:index/network:Network" not in kinds
    assert kinds.count("docker:index/volume:Volume") == len(SERVICES) + 2
    again = succeed(checkout.dashtam("down", checkout.stack, "--json"))
    assert json.loads(again) == {"environments": [{"environment": checkout.stack}]}

    checkout.up()
    assert environments.is_up(client, checkout.stack)
    assert scene.containers()[FILES] == scene.before[FILES]
    assert _secrets(checkout) == secrets
    assert await contents.digest() == before
    succeed(checkout.pulumi("preview", "--stack", checkout.stack, "--expect-no-changes"))


@pytest.mark.parametrize(
    "moment", [one if one in ALWAYS else pytest.param(one, marks=pytest.mark.campaign) for one in MOMENTS]
)
async def test_up_continues_where_down_was_killed(
    checkout: Checkout, contents: Contents, client: docker.DockerClient, moment: str
) -> None:
    await contents.fill()
    before, secrets = await contents.digest(), _secrets(checkout)
    moments.kill(moments.now(checkout, client), *MOMENTS[moment], "down", checkout.stack)
    checkout.up()
    assert environments.is_up(client, checkout.stack)
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
