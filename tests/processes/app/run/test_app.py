from __future__ import annotations

import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from app.run import app, callback

if TYPE_CHECKING:
    from types import ModuleType


def run(module: str, environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", module, *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.parametrize("module", ["app.run.app", "app.run.callback"])
def test_a_wrong_setting_ends_the_start_with_one_line(module: str, tls_environment: dict[str, str]) -> None:
    done = run(module, tls_environment | {"TLS_CA_FILE": "/missing"})
    assert done.returncode == 1
    told = (done.stdout + done.stderr).splitlines()
    assert len(told) == 1
    assert "TLS_CA_FILE=/missing: Path does not point to a file" in told[0]


def test_a_missing_secret_ends_the_start_with_one_line(app_environment: dict[str, str]) -> None:
    done = run("app.run.app", app_environment | {"SECRET_KEY_FILE": "/missing"})
    assert done.returncode == 1
    assert (done.stdout + done.stderr).strip() == "SECRET_KEY_FILE=/missing cannot be read: No such file or directory"


def test_services_that_never_come_end_the_start_with_their_address(app_environment: dict[str, str]) -> None:
    done = run("app.run.app", app_environment | {"STARTUP_TIMEOUT": "1"})
    assert done.returncode == 1
    last = done.stdout.splitlines()[-1]
    assert re.search(r"(PostgreSQL|Redis) at 127\.0\.0\.1:1 is not ready after 1 s: connection refused", last)
    assert "Traceback" not in done.stdout + done.stderr
    assert " pw" not in done.stdout + done.stderr


@pytest.mark.parametrize("server", [app, callback])
def test_the_libraries_named_for_reload_are_what_the_server_imports(server: ModuleType) -> None:
    code = f"""
import sys
from typing import TYPE_CHECKING
import {", ".join(server.LIBRARIES)}
before = set(sys.modules)
import app.{"run.prepare, app.main" if server is app else "callback.app"}
print(*sorted(name for name in set(sys.modules) - before if "." not in name and name != "app"))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_help() -> None:
    done = run("app.run.app", {}, "--help")
    assert done.returncode == 0
    assert "--reload" in done.stdout
