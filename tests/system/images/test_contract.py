# ruff: noqa: ANN401 - options and fixtures pass through to the docker SDK
"""What the environments rely on, whichever source the images come from."""

from __future__ import annotations

import re
from typing import Any

from infra.catalogue import HAPROXY, NODE, POSTGRES, PYTHON, REDIS, Base

TOOLS = {
    POSTGRES: ["postgres", "initdb", "psql", "pg_isready", "pg_dump", "pg_restore", "pg_dumpall", "pg_basebackup"],
    REDIS: ["redis-server", "redis-cli"],
    PYTHON: ["python", "python3"],
    NODE: ["node"],
    HAPROXY: ["haproxy"],
}
VERSIONS = {
    POSTGRES: ("postgres --version", r" 17\."),
    REDIS: ("redis-server --version", r" v=8\."),
    PYTHON: ("python --version", r"^Python 3\.13\."),
    NODE: ("node --version", r"^v\d"),
    HAPROXY: ("haproxy -v | head -n 1", r"^HAProxy version \d"),
}
"""What prints a version, and which it is to be; Node's is looked at closer below."""


def output(run: Any, base: Base, script: str, **options: Any) -> str:
    container = run(base, ["-c", script], entrypoint="sh", **options)
    status = container.wait(timeout=60)["StatusCode"]
    text: str = container.logs().decode()
    assert status == 0, text
    return text.strip()


def test_a_user_on_a_read_only_root_without_capabilities_finds_the_tools(run: Any, base: Base) -> None:
    check = "id -u; id -g; grep CapEff /proc/self/status; touch /etc/x 2>/dev/null && echo written; touch /tmp/x"
    found = f"for tool in {' '.join(TOOLS[base])}; do command -v $tool || echo missing $tool; done"
    uid, gid, capabilities, version, *rest = output(run, base, f"{check}; {VERSIONS[base][0]}; {found}").splitlines()
    assert f"{uid}:{gid}" == base.user
    assert int(capabilities.split()[1], 16) == 0
    assert re.search(VERSIONS[base][1], version)
    assert [line for line in rest if not line.startswith("/")] == []
    assert len(rest) == len(TOOLS[base])


def test_node_is_new_enough_for_the_sandbox_and_verifies_https(run: Any) -> None:
    said = output(run, NODE, "node -p 'process.versions.node' && node -p 'require(\"tls\").rootCertificates.length'")
    version, authorities = said.splitlines()
    assert tuple(map(int, version.split(".")[:2])) >= (20, 19)
    assert int(authorities) > 50


def test_python_makes_virtual_environments_and_verifies_https(run: Any) -> None:
    script = (
        "python3 -m venv /tmp/v && /tmp/v/bin/pip --version && "
        "/tmp/v/bin/python -c 'import ssl; print(len(ssl.create_default_context().get_ca_certs()) > 50)'"
    )
    # The virtual environment is run from where it is made.
    assert output(run, PYTHON, script, tmpfs={"/tmp": "exec"}).endswith("True")  # noqa: S108 - in the container
