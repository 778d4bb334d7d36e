"""What stands in the way of an environment is told before anything is changed: cause and remedy."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import libfaketime  # type: ignore[import-untyped]
import pytest

from tests.verify import environments

if TYPE_CHECKING:
    import docker

    from tests.verify.checkout import Checkout

FAKETIME = Path(libfaketime.__file__).parent / "vendor/libfaketime/src/libfaketime.so.1"


def refused(checkout: Checkout, client: docker.DockerClient, **env: str) -> str:
    """Return what `up` says when it refuses; nothing may have changed."""
    before = ids(checkout, client)
    done = checkout.dashtam("up", checkout.stack, **env)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert "What to do:" in done.stderr
    assert ids(checkout, client) == before
    return done.stderr


def ids(checkout: Checkout, client: docker.DockerClient) -> set[str]:
    """Return the ids of the environment's containers."""
    found = client.api.containers(all=True, filters=environments.labelled(checkout.stack))
    return {one["Id"] for one in found}


@pytest.mark.parametrize("shift", ["-2d", "+400d"])
def test_a_clock_that_is_wrong(checkout: Checkout, client: docker.DockerClient, shift: str) -> None:
    said = refused(checkout, client, LD_PRELOAD=str(FAKETIME), FAKETIME=shift)
    assert "The Docker engine's clock differs from this machine's by" in said
    assert f"{shift[1:-1]} days" in said


def test_a_passphrase_that_is_lost(checkout: Checkout, client: docker.DockerClient) -> None:
    [passphrase] = checkout.data.glob("clones/*/passphrase")
    elsewhere = passphrase.rename(passphrase.with_name("elsewhere"))
    try:
        said = refused(checkout, client)
        assert f"The passphrase {passphrase} is missing" in said
        assert not passphrase.exists()
    finally:
        elsewhere.rename(passphrase)
