from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.endpoints import Endpoint
from infra.services import edge
from infra.services.edge import Route, configuration, health

APP = Route(Endpoint("app", 8000), "tasks.dashtam-staging-app", 3)
CALLBACK = Route(Endpoint("callback", 8182), "tasks.dashtam-staging-callback", 1)
CA = "/run/secrets/ca.crt"


def sections(text: str) -> dict[str, list[str]]:
    """The lines of each section, by its first line."""
    parts = [part.splitlines() for part in re.split(r"\n(?=\S)", text.strip())]
    return {part[0]: [line.strip() for line in part[1:] if line.strip()] for part in parts}


def test_each_service_has_a_port_and_its_replicas() -> None:
    found = sections(configuration([APP, CALLBACK], CA, 20))
    assert "bind :8000" in found["frontend app"]
    assert "bind :8182" in found["frontend callback"]
    assert "server-template app- 5 tasks.dashtam-staging-app:8000" in found["backend app-ready"]
    assert "server-template callback- 3 tasks.dashtam-staging-callback:8182" in found["backend callback-ready"]


@pytest.mark.parametrize(("kind", "path"), [("ready", "/ready"), ("alive", "/health")])
def test_replicas_are_checked_over_verified_tls(kind: str, path: str) -> None:
    found = sections(configuration([APP], CA, 20))[f"backend app-{kind}"]
    verified = f"check-ssl verify required ca-file {CA} check-sni app verifyhost app"
    assert f"default-server {verified}" in found
    assert f"http-check send meth GET uri {path} ver HTTP/1.1 hdr Host app" in found


def test_replicas_that_expect_it_are_told_the_client_in_checks_too() -> None:
    text = configuration([replace(APP, proxied=8001), CALLBACK], CA, 20)
    for kind in ("ready", "alive"):
        found = sections(text)[f"backend app-{kind}"]
        assert "default-server send-proxy-v2 check-send-proxy" in found
        assert "server-template app- 5 tasks.dashtam-staging-app:8001" in found
        assert not any("proxy" in line for line in sections(text)[f"backend callback-{kind}"])


def test_without_a_replica_that_is_ready_one_that_is_alive_answers() -> None:
    found = sections(configuration([APP], CA, 20))["frontend app"]
    assert found[1:] == ["use_backend app-alive if { nbsrv(app-ready) lt 1 }", "default_backend app-ready"]


@given(st.lists(st.integers(1, 20), min_size=1, max_size=4), st.floats(0, 600))
def test_nothing_is_decrypted_opened_or_trusted_beside(replicas: list[int], seconds: float) -> None:
    routes = [Route(Endpoint(f"s{n}", 8000 + n), f"tasks.s{n}", count) for n, count in enumerate(replicas)]
    text = configuration(routes, CA, seconds)
    assert "verify none" not in text
    assert not re.search(r"stats|crt |mode http\b|\buser\b|\bchroot\b", text.replace("ca.crt", ""))
    assert re.findall(r"bind (.+)", text) == [f":{route.endpoint.port}" for route in routes]
    assert re.findall(r"hard-stop-after (\d+)s", text) != ["0"]


def test_an_edge_is_healthy_while_it_listens_on_all_ports() -> None:
    assert health([APP, CALLBACK]).count("/proc/net/tcp") == 2
    assert ":1F40 " in health([APP])
    assert ":1FF6 " in health([CALLBACK])


def test_an_answer_may_take_as_long_as_a_provider() -> None:
    assert edge.IDLE_SECONDS > 2 * 30
