from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from cli.core.paths import ROOT

INTERRUPTED = """
import os, signal, sys
from importlib.abc import MetaPathFinder
class Slow(MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name == "cli.main":
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Slow())
from cli import start
start.run()
"""


@pytest.mark.parametrize(
    ("before", "status"), [("", -signal.SIGINT), ("signal.signal(signal.SIGINT, signal.SIG_IGN)", 0)]
)
def test_an_interruption_while_it_imports_has_no_traceback_and_one_that_is_ignored_no_effect(
    before: str, status: int
) -> None:
    script = f"import signal\n{before}\n{INTERRUPTED}"
    command = [sys.executable, "-c", script, "--version"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (status, "")
