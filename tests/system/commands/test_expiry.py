"""Certificates that have expired: every command that looks says so, and the remedy that is told mends it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from cryptography import x509

from cli.pulumi.stack_state import AUTHORITY, CERTIFICATE
from infra.naming import SERVICES
from tests.system import environments
from tests.system.commands.test_obstacles import FAKETIME
from tests.system.running import succeed

if TYPE_CHECKING:
    import docker

    from tests.system.checkout import Checkout

LATER = {"LD_PRELOAD": str(FAKETIME), "FAKETIME": "+400d"}
"""More than certificates are valid for."""


def test_status_says_so(checkout: Checkout) -> None:
    authority = x509.load_pem_x509_certificate(checkout.outputs()["ca_certificate"].encode())
    shown = succeed(checkout.dashtam("status", checkout.stack, **LATER))
    assert f"expired {authority.not_valid_after_utc:%Y-%m-%d}" in shown


def test_doctor_says_so(checkout: Checkout) -> None:
    done = checkout.dashtam("doctor", "--json", **LATER)
    assert done.returncode == 2
    [found] = [
        one for one in json.loads(done.stdout)["findings"] if one["check"] == f"certificates of {checkout.stack}"
    ]
    assert (found["ok"], found["cause"], found["remedy"]) == (
        False,
        "They have expired.",
        f"./dashtam up {checkout.stack}",
    )


def test_certs_is_refused_by_the_services(checkout: Checkout) -> None:
    done = checkout.dashtam("certs", checkout.stack, "--json", **LATER)
    assert done.returncode == 2
    found = {one["service"]: one["trouble"] for one in json.loads(done.stdout)["certificates"]}
    assert set(found) == {"ca", *SERVICES}
    assert set(found.values()) == {"certificate has expired"}


def test_up_renews_what_the_state_calls_expired(checkout: Checkout, client: docker.DockerClient) -> None:
    before = checkout.outputs()["ca_certificate"]
    state = json.loads(checkout.state().read_text())
    resources = state["checkpoint"]["latest"]["resources"]
    made = [one for one in resources if one["type"] in {AUTHORITY, CERTIFICATE}]
    assert len(made) == 1 + len(SERVICES)
    for resource in made:
        resource["outputs"]["validityEndTime"] = "2020-01-01T00:00:00Z"
    checkout.state().write_text(json.dumps(state))
    assert "expired 2020-01-01" in succeed(checkout.dashtam("status", checkout.stack))
    checkout.up()
    assert environments.is_up(client, checkout.stack)
    assert checkout.outputs()["ca_certificate"] != before
    succeed(checkout.dashtam("certs", checkout.stack))
