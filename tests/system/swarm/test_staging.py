"""An environment on a Swarm changes only when told to, recovers, keeps data and secrets, and is removed whole."""

from __future__ import annotations

import http.client
import json
import re
import ssl
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from infra.config.sections import HealthSettings
from infra.services.health import UNFINISHED
from tests.system.running import succeed, wait_until
from tests.system.swarm import staging as environments

if TYPE_CHECKING:
    from pathlib import Path

    from tests.system.swarm.lab import Node
    from tests.system.swarm.load import Target
    from tests.system.swarm.staging import Staging

OTHER: dict[str, dict[str, object]] = {
    "target": {"replicas": {"app": 1, "callback": 1}, "drain": "1s"},
    "app": {"port": 8600},
    "callback": {"port": 8682},
}
"""A second environment beside the first."""
REACH = """
import socket, sys
from concurrent.futures import ThreadPoolExecutor
def reach(address):
    host, port = address.rsplit(":", 1)
    try:
        socket.create_connection((host, int(port)), timeout=3).close()
        return f"reached {address}"
    except OSError as error:
        return f"refused {address} {type(error).__name__}"
with ThreadPoolExecutor(len(sys.argv)) as pool:
    print(*pool.map(reach, sys.argv[1:]), sep="\\n")
"""


def test_up_again_changes_nothing(staging: Staging) -> None:
    before = _versions(staging)
    for _ in range(10):
        succeed(staging.dashtam("up", staging.name))
    assert _versions(staging) == before


def test_a_bad_image_is_rolled_back_and_up_says_so(staging: Staging) -> None:
    good = staging.service("app")["Spec"]["TaskTemplate"]["ContainerSpec"]["Image"]
    source = staging.checkout.root / "app/run/app.py"
    text = source.read_text()
    source.write_text("import sys\nsys.exit('this version can not start')\n")
    try:
        staging.publish()
        done = staging.dashtam("up", staging.name)
    finally:
        source.write_text(text)
    assert done.returncode == 1
    assert re.search(r"rolled back|rollback", done.stderr)
    assert "this version can not start" in done.stderr
    assert staging.service("app")["Spec"]["TaskTemplate"]["ContainerSpec"]["Image"] == good
    staging.settle()


def test_no_acknowledged_write_is_lost_when_postgres_node_restarts(staging: Staging) -> None:
    node, postgres = staging.container("postgres")
    assert _query(staging, "DROP TABLE IF EXISTS kept; CREATE TABLE kept (n int PRIMARY KEY)") is not None
    written: list[str] = []

    def write() -> None:
        number = 0
        while not ended.is_set():
            number += 1
            insert = f"INSERT INTO kept SELECT {number} RETURNING n"
            try:
                written.append(node.docker("exec", postgres, "psql", "-qAt", "service=dashtam", "-c", insert).strip())
            except AssertionError:  # it isn't acknowledged
                return

    ended = threading.Event()
    writer = threading.Thread(target=write)
    writer.start()
    wait_until(lambda: len(written) >= 20, "twenty rows are written", 60)
    node.kill()  # what a power failure does, rather than a shutdown
    ended.set()
    writer.join()
    node.restart()
    wait_until(lambda: _query(staging, "SELECT 1") is not None, "Postgres answers again", environments.SETTLE_SECONDS)
    kept = _query(staging, "SELECT n FROM kept")
    _query(staging, "DROP TABLE kept")
    assert kept is not None
    assert {*written} <= {*kept}
    staging.settle()


def test_an_outage_of_the_database_ends_no_replica(staging: Staging, target: Target) -> None:
    manager, postgres = staging.lab.manager, staging.service("postgres")["ID"]
    before = _tasks(staging)
    node, app = staging.container("app")
    manager.docker("service", "scale", "--detach", f"{postgres}=0")
    try:
        wait_until(lambda: _answer(target, "/ready") == 503, "the app notices", 60)
        for _ in range(HealthSettings().retries + 1):  # more than a container may fail
            _check(node, app)
        assert _answer(target, "/health") == 200
        assert _tasks(staging) == before
    finally:
        manager.docker("service", "scale", "--detach", f"{postgres}=1")
    wait_until(lambda: _answer(target, "/ready") == 200, "the app is ready again", 60)
    assert _tasks(staging) == before
    staging.settle()


def test_a_backup_is_restored_and_every_replica_starts_with_it(staging: Staging, tmp_path: Path) -> None:
    file = str(tmp_path / "staging.backup")
    assert _query(staging, "CREATE TABLE kept AS SELECT 'then' AS what") is not None
    succeed(staging.dashtam("backup", staging.name, file))
    _query(staging, "UPDATE kept SET what = 'later'")
    before = {task["ID"] for task in staging.tasks("app")}
    refused = staging.dashtam("restore", staging.name, file, "--yes")
    assert refused.returncode == 1
    assert "--no-snapshot" in refused.stderr
    succeed(staging.dashtam("restore", staging.name, file, "--yes", "--no-snapshot"))
    assert _query(staging, "SELECT what FROM kept") == ["then"]
    after = {task["ID"] for task in staging.tasks("app")}
    assert len(after) == environments.REPLICAS["app"]
    assert not before & after
    succeed(staging.dashtam("drift", staging.name))
    _query(staging, "DROP TABLE kept")


def test_smoke_and_api_run_against_it(staging: Staging) -> None:
    done = staging.dashtam("test", "smoke", "api", staging.name, "--numprocesses", "2")
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"\b[3-9]\d passed", done.stdout)
    assert "PostgreSQL is not published" in done.stdout


def test_secrets_are_in_no_inspection_log_or_state(staging: Staging) -> None:
    secrets = _secrets(staging.outputs())
    assert len(secrets) >= 2
    said = {"state": staging.checkout.state(staging.name).read_text()}
    services = staging.left()[f"{staging.lab.manager.name} service"]
    said["services"] = staging.lab.manager.docker("service", "inspect", *services)
    said["secrets"] = staging.lab.manager.docker(
        "secret", "inspect", *staging.left()[f"{staging.lab.manager.name} secret"]
    )
    for node in staging.lab.nodes:
        for container in staging.left().get(f"{node.name} container", []):
            said[f"{node.name} {container}"] = node.docker("inspect", container)
            said[f"{node.name} {container} log"] = node.docker("logs", container)
    leaks = [where for where, text in said.items() if any(secret in text for secret in secrets)]
    assert leaks == []


def test_an_environment_is_out_of_reach_for_another_and_goes_without_a_trace(staging: Staging, images: str) -> None:
    lab = staging.lab
    addresses = [f"{address}:{port}" for address, port in _addresses(staging)]
    assert len(addresses) >= 4
    volumes = _volumes(staging)
    with environments.environment(lab, staging.checkout, images, **OTHER) as other:
        other.settle()
        node, container = other.container("app")
        said = node.docker("exec", container, "python", "-c", REACH, *addresses)
        assert "reached" not in said
        assert said.count("refused") == len(addresses)
        assert other.left()
        node, container = staging.container("app")
        assert "reached" in node.docker("exec", container, "python", "-c", REACH, *addresses)
    wait_until(lambda: not other.left(), "nothing is left", 60)
    assert _volumes(staging) == volumes  # those without a label too
    staging.settle()


def _tasks(staging: Staging) -> set[tuple[str, str]]:
    """Return the replicas of what depends on the database, with what they do."""
    found = [task for name in ("app", "callback") for task in staging.tasks(name)]
    return {(task["ID"], task["CurrentState"].split()[0]) for task in found}


def _answer(target: Target, path: str) -> int:
    context = ssl.create_default_context(cafile=str(target.ca_file))
    connection = http.client.HTTPSConnection(target.hostname, target.port, timeout=20, context=context)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    except OSError:
        return 0
    finally:
        connection.close()


def _check(node: Node, container: str) -> None:
    """Check a container's health as the engine does after a check that failed; fail where it is not healthy."""
    [_, command] = json.loads(node.docker("inspect", "--format", "{{json .Config.Healthcheck.Test}}", container))
    node.docker("exec", container, "sh", "-c", f": > {UNFINISHED}; {command}")


def _volumes(staging: Staging) -> list[set[str]]:
    return [{*node.docker("volume", "ls", "--quiet").split()} for node in staging.lab.nodes]


def _query(staging: Staging, statement: str) -> list[str] | None:
    """Return the rows of a statement; None where Postgres doesn't answer."""
    with suppress(AssertionError):
        node, postgres = staging.container("postgres")
        return node.docker("exec", postgres, "psql", "-qAt", "service=dashtam", "-c", statement).split()
    return None


def _versions(staging: Staging) -> dict[str, int]:
    services = staging.left()[f"{staging.lab.manager.name} service"]
    listed = staging.lab.manager.docker("service", "inspect", "--format", "{{.ID}} {{.Version.Index}}", *services)
    return {line.split()[0]: int(line.split()[1]) for line in listed.splitlines()}


def _secrets(outputs: dict[str, Any]) -> set[str]:
    found = (outputs.get(name) for name in ("internal_database_dsn", "internal_redis_dsn"))
    return {match[1] for text in found if text and (match := re.search(r"://[^:]+:([^@]+)@", text))}


def _addresses(staging: Staging) -> list[tuple[str, int]]:
    """Return where each service's replicas listen, in the environment's network."""
    ports = {"postgres": 5432, "redis": 6379, "app": 8000, "callback": 8182}
    found = []
    for name, port in ports.items():
        node, container = staging.container(name)
        form = "{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}"
        found += [(address, port) for address in node.docker("inspect", "--format", form, container).split()]
    return found
