from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from cli.core.errors import UserError
from cli.environments.clone import Clone
from cli.environments.environment_lock import held
from tests.unit.cli.conftest import noticed

HOLDER = """
import sys
from pathlib import Path
from cli.environments.clone import Clone
from cli.environments.environment_lock import held
with held(Clone("me", Path(sys.argv[1]), Path(sys.argv[1])), *sys.argv[3:], timeout=float(sys.argv[2])):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    return Clone("me", tmp_path, tmp_path)


def _take(clone: Clone, *stacks: str, timeout: float = 0.0) -> None:
    with held(clone, *stacks, timeout=timeout):
        pass


def _holder(clone: Clone, *stacks: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", HOLDER, str(clone.home), "0", *stacks]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_one_after_the_other(clone: Clone) -> None:
    for _ in range(2):
        assert noticed(lambda: _take(clone, "test")) == (None, [])


def test_other_environments_do_not_wait(clone: Clone) -> None:
    with held(clone, "test", timeout=0.0):
        assert noticed(lambda: _take(clone, "dev")) == (None, [])


def test_its_holder_may_take_it_again(clone: Clone) -> None:
    with held(clone, "test", timeout=0.0):
        assert noticed(lambda: _take(clone, "dev", "test")) == (None, [])
        # The inner end releases nothing.
        _, error = _holder(clone, "test").communicate(timeout=30)
        assert "still being changed by another command" in error


def test_a_failure_releases_it(clone: Clone) -> None:
    def fail() -> None:
        with held(clone, "test"):
            raise RuntimeError

    for _ in range(2):
        with pytest.raises(RuntimeError):
            fail()


def test_what_was_taken_before_one_that_is_held_is_released(clone: Clone) -> None:
    with _holder(clone, "test") as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(UserError, match="test is still being changed"):
            _take(clone, "test", "dev")
        with _holder(clone, "dev") as other:
            assert other.stdout is not None
            assert other.stdout.readline() == "held\n"
            other.kill()
        holder.kill()


def test_another_process_is_waited_for_with_a_notice(clone: Clone) -> None:
    with _holder(clone, "test") as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"

        def take() -> None:
            with pytest.raises(UserError, match="still being changed"):
                _take(clone, "test", timeout=0.1)

        _, notices = noticed(take)
        holder.kill()
    assert notices == ["Another command is changing test; waiting for it."]
    # The operating system released it.
    _take(clone, "test")
