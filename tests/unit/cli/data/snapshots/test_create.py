from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from cli.data.snapshots import create
from tests.unit.cli.conftest import MakeProgram


@pytest.mark.parametrize("status", [0, 1])
def test_a_size_is_told_though_a_file_vanished_while_it_was_counted(
    program: MakeProgram, tmp_path: Path, status: int
) -> None:
    folder = program("du", f"echo '4 ./base'; echo '44 .'; echo 'du: ./base/1: No such file' >&2; exit {status}")
    script = ["sh", "-euc", create.SIZE]
    path = {"PATH": f"{folder}:/usr/bin:/bin"}
    done = subprocess.run(script, cwd=tmp_path, env=path, capture_output=True, text=True, check=True)
    assert done.stdout == "44 .\n"
