"""Some services of an environment run, and the app beside them on this computer, as in an editor."""

from __future__ import annotations

import json
import ssl
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import httpx2

from infra.naming import COMPONENT_LABEL, FILES, SERVICES
from tests.system import damage, environments
from tests.system.checkout import free_ports
from tests.system.running import succeed, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import docker

    from tests.system.checkout import Checkout

CHOSEN = {"postgres", "redis"}


@contextmanager
def app_here(checkout: Checkout, log: Path) -> Iterator[httpx2.Client]:
    """Run the app as a user does whose shell has what `env` prints, and give a client of it."""
    variables = json.loads(succeed(checkout.dashtam("env", checkout.stack, "--json")))
    [internal] = free_ports(1)
    command = [sys.executable, "-m", "app.run.app"]
    environ = {**checkout.environ, **variables, "INTERNAL_PORT": str(internal)}
    with log.open("w") as file:
        process = subprocess.Popen(command, cwd=checkout.root, env=environ, stdout=file, stderr=file)
    tls = ssl.create_default_context(cafile=variables["DASHTAM_CA_FILE"])
    with (
        damage.at_latest_killed(process),
        httpx2.Client(base_url=variables["PUBLIC_URL"], verify=tls, trust_env=False) as client,
    ):
        yield client


def ids(client: docker.DockerClient, checkout: Checkout) -> dict[str, str]:
    """Return its containers' ids by component."""
    found = client.api.containers(all=True, filters=environments.labelled(checkout.stack))
    return {one["Labels"][COMPONENT_LABEL]: one["Id"] for one in found}


def answers(client: httpx2.Client, path: str) -> int:
    """Return the status of an answer; 0 where there is none."""
    try:
        return client.get(path).status_code
    except httpx2.TransportError:
        return 0


def test_some_services_run_and_the_app_runs_here(
    checkout: Checkout, client: docker.DockerClient, tmp_path: Path
) -> None:
    before = ids(client, checkout)
    public = checkout.outputs()["ca_certificate"]
    succeed(checkout.dashtam("up", checkout.stack, *CHOSEN))
    try:
        assert ids(client, checkout) == {name: before[name] for name in {*CHOSEN, FILES}}
        status = json.loads(succeed(checkout.dashtam("status", checkout.stack, "--json")))
        [one] = status["environments"]
        assert (one["state"], set(one["only"]), one["drift"]) == ("up", CHOSEN, False)
        with app_here(checkout, tmp_path / "log") as there:
            wait_until(lambda: answers(there, "/ready") == 200, (tmp_path / "log").read_text(), 60)
            # Its own port is no obstacle to what runs beside it.
            succeed(checkout.dashtam("up", checkout.stack, *CHOSEN))
    finally:
        checkout.up()
    after = ids(client, checkout)
    assert after.keys() == {*SERVICES, FILES}
    assert {name: after[name] for name in CHOSEN} == {name: before[name] for name in CHOSEN}
    assert checkout.outputs()["ca_certificate"] == public
