"""`up` where nothing changed: no update runs; where anything may have, one does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.system import environments
from tests.system.running import succeed

if TYPE_CHECKING:
    from collections.abc import Callable

    import docker

    from tests.system.checkout import Checkout


EDIT = "\n# edited\n"


def _updates(checkout: Checkout) -> int:
    """Return how many updates Pulumi has run of the environment."""
    return len(list((checkout.backend / f".pulumi/history/dashtam/{checkout.stack}").glob("*.history.json")))


def test_nothing_to_do_runs_no_update_and_prints_the_same(checkout: Checkout) -> None:
    checkout.up()
    before = _updates(checkout)
    first, second = (succeed(checkout.dashtam("up", checkout.stack, "--json")) for _ in range(2))
    assert first == second
    assert _updates(checkout) == before


def _edit_the_source(checkout: Checkout, _: docker.DockerClient) -> None:
    source = checkout.root / "app/main.py"
    source.write_text(source.read_text() + EDIT)


def _edit_the_config(checkout: Checkout, _: docker.DockerClient) -> None:
    checkout.configure(app={"memory": "650m"})


def _stop_a_container(checkout: Checkout, client: docker.DockerClient) -> None:
    client.containers.get(checkout.outputs()["containers"]["callback"]).stop()


def _remove_a_container(checkout: Checkout, client: docker.DockerClient) -> None:
    client.containers.get(checkout.outputs()["containers"]["callback"]).remove(force=True)


def _refresh_the_state(checkout: Checkout, _: docker.DockerClient) -> None:
    succeed(checkout.pulumi("refresh", "--stack", checkout.stack, "--yes", "--skip-preview"))


@pytest.mark.parametrize(
    "change", [_edit_the_source, _edit_the_config, _stop_a_container, _remove_a_container, _refresh_the_state]
)
def test_a_change_runs_an_update(
    checkout: Checkout, client: docker.DockerClient, change: Callable[[Checkout, docker.DockerClient], None]
) -> None:
    checkout.up()
    try:
        change(checkout, client)
        before = _updates(checkout)
        checkout.up()
        assert _updates(checkout) > before
        assert environments.is_up(client, checkout.stack)
    finally:
        source = checkout.root / "app/main.py"
        source.write_text(source.read_text().removesuffix(EDIT))
        checkout.configure()
