# ruff: noqa: ANN401 - options and fixtures pass through to the docker SDK
"""What the environments rely on, whichever source the images come from."""

from __future__ import annotations

from typing import Any

import pytest

from infra.catalogue import HAPROXY, NODE, POSTGRES, PYTHON, REDIS, Base

TOOLS = [
    (POSTGRES, ["postgres", "initdb", "psql", "pg_isready", "pg_dump", "pg_restore", "pg_dumpall", "pg_basebackup"]),
    (REDIS, ["redis-server", "redis-cli"]),
    (PYTHON, ["python", "python3"]),
    (NODE, ["node"]),
    (HAPROXY, ["haproxy"]),
]


def output(run: Any, base: Base, script: str, **options: Any) -> str:
    container = run(base, ["-c", script], entrypoint="sh", **options)
    status = container.wait(timeout=60)["StatusCode"]
    text: str = container.logs().decode()
    assert status == 0, text
    return text.strip()


def test_the_service_runs_as_its_user_on_a_read_only_root_without_capabilities(run: Any, base: Base) -> None:
    script = "id -u; id -g; grep CapEff /proc/self/status; touch /etc/x 2>/dev/null && echo written; touch /tmp/x"
    uid, gid, capabilities, *rest = output(run, base, script).splitlines()
    assert f"{uid}:{gid}" == base.user
    assert int(capabilities.split()[1], 16) == 0
    assert rest == []


@pytest.mark.parametrize(("base", "tools"), TOOLS, ids=lambda value: getattr(value, "name", ""))
def test_the_tools_are_on_the_path(run: Any, base: Base, tools: list[str]) -> None:
    found = output(run, base, f"for tool in {' '.join(tools)}; do command -v $tool || echo missing $tool; done")
    assert "missing" not in found
    assert len(found.splitlines()) == len(tools)


def test_postgres_is_17_and_redis_8_and_python_3_13(run: Any) -> None:
    assert " 17." in output(run, POSTGRES, "postgres --version")
    assert " v=8." in output(run, REDIS, "redis-server --version")
    assert output(run, PYTHON, "python --version").startswith("Python 3.13.")


def test_node_is_new_enough_for_the_sandbox(run: Any) -> None:
    major, minor, _ = output(run, NODE, "node --version").removeprefix("v").split(".")
    assert (int(major), int(minor)) >= (20, 19)


def test_node_verifies_https(run: Any) -> None:
    assert int(output(run, NODE, "node -p 'require(\"tls\").rootCertificates.length'")) > 50


def test_python_makes_virtual_environments_and_verifies_https(run: Any) -> None:
    script = (
        "python3 -m venv /tmp/v && /tmp/v/bin/pip --version && "
        "/tmp/v/bin/python -c 'import ssl; print(len(ssl.create_default_context().get_ca_certs()) > 50)'"
    )
    # The virtual environment is run from where it is made.
    assert output(run, PYTHON, script, tmpfs={"/tmp": "exec"}).endswith("True")  # noqa: S108 - in the container
