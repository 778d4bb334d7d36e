"""`./dashtam test`: what it exits with, how it ends when it is interrupted, and what it leaves."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cli.engine.container import TESTS
from infra.naming import COMPONENT_LABEL, STACK_LABEL
from tests.system import damage
from tests.system.checkout import ROOT, Checkout
from tests.system.running import run, succeed, wait_until

if TYPE_CHECKING:
    import docker

SUITE = "tests/unit/test_of_this_run.py"

PASSING_AND_FAILING = """
def test_that_passes() -> None:
    assert 1 + 1 == 2


def test_that_fails() -> None:
    assert 1 + 1 == 3
"""

LASTING = """
from pathlib import Path
import signal

import pytest

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def environment():
    yield
    (HERE / "removed").touch()


def test_that_lasts(environment) -> None:
    (HERE / "started").touch()
    signal.pause()
"""


@pytest.fixture
def suite(checkout: Checkout) -> Iterator[Path]:
    """A file of tests in the checkout, which isn't there any more afterwards."""
    file = checkout.root / SUITE
    yield file
    for one in (file, file.with_name("started"), file.with_name("removed")):
        one.unlink(missing_ok=True)


def test_a_failure_is_shown_reported_and_exited_with(checkout: Checkout, suite: Path, tmp_path: Path) -> None:
    suite.write_text(PASSING_AND_FAILING)
    done = checkout.dashtam("test", SUITE, "--reports", str(tmp_path))
    assert done.returncode == 1
    assert "assert (1 + 1) == 3" in done.stdout
    assert "1 failed, 1 passed" in done.stdout
    assert 'failures="1"' in (tmp_path / "junit-chosen.xml").read_text()


@pytest.mark.parametrize(
    "number",
    [signal.SIGINT, *(pytest.param(one, marks=pytest.mark.campaign) for one in (signal.SIGTERM, signal.SIGHUP))],
)
def test_interrupted_it_ends_once_fixtures_have_removed_what_they_made(
    checkout: Checkout, suite: Path, number: signal.Signals, tmp_path: Path
) -> None:
    suite.write_text(LASTING)
    output = tmp_path / "output"
    process = checkout.start("test", SUITE, "-n", "2", said=output)
    with damage.at_latest_killed(process):
        wait_until(suite.with_name("started").exists, "the test started", 60)
        if number == signal.SIGINT:
            os.killpg(process.pid, number)  # as a terminal does
        else:
            process.send_signal(number)
        assert process.wait(60) == 128 + number, output.read_text()
    assert suite.with_name("removed").exists()
    assert "Interrupted" in output.read_text()


def test_a_killed_run_inside_ci_leaves_nothing_that_the_next_meets(client: docker.DockerClient) -> None:
    labelled = {"label": [f"{STACK_LABEL}=ci", f"{COMPONENT_LABEL}={TESTS}"]}
    killed = subprocess.Popen([str(ROOT / "dashtam"), "test", "ci", "unit", "-n0"], cwd=ROOT, start_new_session=True)
    with damage.at_latest_killed(killed):
        wait_until(lambda: bool(client.api.containers(filters=labelled)), "the tests' container runs", 150)
        damage.kill_all(killed)
    assert client.api.containers(filters=labelled)
    succeed(run([str(ROOT / "dashtam"), "test", "ci", "smoke"], cwd=ROOT))
    assert client.api.containers(all=True, filters=labelled) == []
