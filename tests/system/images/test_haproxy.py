# ruff: noqa: ANN401 - fixtures of the docker SDK
"""The edge's configuration, as HAProxy itself understands it, and the check of its health."""

from __future__ import annotations

from typing import Any

from infra.catalogue import HAPROXY
from infra.endpoints import Endpoint
from infra.services.edge import CONFIG, Route, configuration, health
from infra.services.health import paced

MOUNT = "/run/secrets"
ROUTES = [Route(Endpoint("app", 8000), "tasks.app", 3), Route(Endpoint("callback", 8182), "tasks.callback", 2)]


def test_the_edge_starts_and_is_healthy_while_it_listens(
    run: Any, files: Any, until: Any, certificate: tuple[str, str]
) -> None:
    content = {CONFIG: configuration(ROUTES, f"{MOUNT}/ca.crt", 20), "ca.crt": certificate[0]}
    secrets = files(HAPROXY.user, content)
    command = ["haproxy", "-W", "-db", "-f", f"{MOUNT}/{CONFIG}"]
    edge = run(HAPROXY, command, volumes=[f"{secrets.name}:{MOUNT}:ro"], init=True)
    until(lambda: edge.exec_run(["sh", "-c", paced(health(ROUTES), 0, 1, 5)]).exit_code == 0, edge)
    assert edge.exec_run(["haproxy", "-c", "-f", f"{MOUNT}/{CONFIG}"]).exit_code == 0
    other = [Route(Endpoint("other", 8001), "tasks.other", 1)]
    assert edge.exec_run(["sh", "-c", paced(health(other), 0, 1, 5)]).exit_code == 1
    edge.stop(timeout=10)
    assert edge.wait(timeout=10)["StatusCode"] == 0
