from __future__ import annotations

import sys
from typing import TYPE_CHECKING, cast

import pytest

from cli.core import signals
from cli.core.errors import UserError
from cli.operations import hooks
from cli.operations.up import up
from tests.unit.cli.conftest import INTERRUPTED
from tests.unit.cli.world import CONFIG, World, make_world

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cli.operations.session import Session

WRITE = """
import os, pathlib
names = ("DASHTAM_ENVIRONMENT", "DATABASE_URL", "PGPASSWORD", "APP_URL", "PULUMI_BACKEND_URL")
pathlib.Path("ran").write_text(" ".join(str(name in os.environ) for name in names))
"""


@pytest.fixture
def ready(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Session]:
    """Bring up an environment whose config has a command."""

    def given(*command: str) -> Session:
        words = f"  dashtam:hooks: {{healthy: {list(command)!r}}}\n" if command else ""
        session = cast("Session", make_world(tmp_path, monkeypatch, "dev"))
        (tmp_path / "Pulumi.dev.yaml").write_text(CONFIG + words)
        up(session, "dev")
        return session

    return given


def test_the_command_runs_in_the_checkout_with_what_clients_need(
    ready: Callable[..., Session], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "hook.py").write_text(WRITE + "print('from the hook')")
    hooks.run_healthy(ready(sys.executable, "hook.py"), "dev")
    assert (tmp_path / "ran").read_text() == "True True True True True"
    captured = capfd.readouterr()
    assert "from the hook" in captured.err
    assert captured.out == ""


def test_without_a_command_none_is_run(ready: Callable[..., Session], tmp_path: Path) -> None:
    hooks.run_healthy(ready(), "dev")
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("command", "what"),
    [
        ((sys.executable, "-c", "raise SystemExit(3)"), "failed with exit status 3"),
        ((sys.executable, "-c", "import os; os.kill(os.getpid(), 15)"), "was ended by signal 15"),
        (("./missing",), "can't be run: No such file or directory"),
    ],
)
def test_a_failure_is_clear_and_the_environment_stays_up(
    ready: Callable[..., Session], command: tuple[str, ...], what: str
) -> None:
    session = ready(*command)
    with pytest.raises(UserError, match=what) as raised:
        hooks.run_healthy(session, "dev")
    assert "dev itself is up and healthy" in raised.value.cause
    assert "hidden-word" not in f"{raised.value}{raised.value.cause}{raised.value.remedy}"
    assert cast("World", session).up.keys() == {"dev"}


def test_a_signal_lets_the_command_end_by_itself(ready: Callable[..., Session], tmp_path: Path) -> None:
    (tmp_path / "hook.py").write_text(INTERRUPTED.format(number=15))
    session = ready(sys.executable, "hook.py")
    with signals.raised(), pytest.raises(KeyboardInterrupt):
        hooks.run_healthy(session, "dev")
    assert (tmp_path / "ended").exists()
