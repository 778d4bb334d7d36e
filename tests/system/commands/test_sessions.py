"""Who linked an account sees it again after everything was removed and the snapshot was put back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.outputs import StackOutputs
from tests.system import environments
from tests.system.commands import snapshots, walking
from tests.system.running import succeed

if TYPE_CHECKING:
    import docker

    from tests.system.checkout import Checkout


def _outputs(checkout: Checkout) -> StackOutputs:
    return StackOutputs.model_validate(checkout.outputs())


def test_a_session_goes_on_after_everything_was_removed(checkout: Checkout, client: docker.DockerClient) -> None:
    with walking.browser(before := _outputs(checkout)) as person:
        linked = walking.link(before, "sessions", person).accounts
    assert linked == [("sandbox", "sessions")]
    path = snapshots.take(checkout)
    succeed(checkout.dashtam("destroy", checkout.stack, "--yes", "--no-snapshot"))
    snapshots.restore(checkout, path.name)

    after = _outputs(checkout)
    assert after.ca_certificate != before.ca_certificate
    with walking.browser(after, person.cookies) as again:
        assert walking.accounts(after, again) == linked
    assert environments.is_up(client, checkout.stack)
    assert snapshots.traces(checkout, client) == []
    # The key is the environment's own now: nothing is to be done by the next update.
    ids = {one.id for one in client.containers.list(filters=environments.labelled(checkout.stack))}
    checkout.up()
    assert {one.id for one in client.containers.list(filters=environments.labelled(checkout.stack))} == ids
