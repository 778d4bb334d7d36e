"""What is internal is served to the environment's own network, and to nobody else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.services.app import INTERNAL_PORT
from tests.system.environments import INNER_PORTS

if TYPE_CHECKING:
    from tests.system.environments import Environment

SCRIPT = """
import os, ssl, sys, urllib.request
tls = ssl.create_default_context(cafile=os.environ["TLS_CA_FILE"])
with urllib.request.urlopen(sys.argv[1], context=tls, timeout=10) as answer:
    print(answer.read().decode())
"""


def test_metrics_are_read_over_the_environments_network(under_test: Environment) -> None:
    url = f"https://app:{INTERNAL_PORT}/metrics"
    status, said = under_test.execute("callback", "python", "-c", SCRIPT, url)
    assert status == 0, said
    # The health check has come by.
    assert 'dashtam_http_requests_total{method="GET",route="/ready",status="200"}' in said
    assert "process_resident_memory_bytes" in said


def test_only_the_app_itself_is_published(under_test: Environment) -> None:
    ports = under_test.inspect("app")["NetworkSettings"]["Ports"]
    published = {port for port, bindings in ports.items() if bindings}
    assert published == {f"{INNER_PORTS['app']}/tcp"}
