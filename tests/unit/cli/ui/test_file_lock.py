from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest
from filelock import Timeout

from cli.core.paths import ROOT
from cli.ui import file_lock
from cli.ui.file_lock import exclusively

if TYPE_CHECKING:
    from pathlib import Path


NO_LOCKS = r"""
#include <errno.h>
#include <stdlib.h>
#include <sys/file.h>
int flock(int file, int operation) {
    (void)file;
    if (operation & LOCK_UN) return 0;
    errno = atoi(getenv("NO_LOCKS"));
    return -1;
}
"""
HOLDER = """
import sys
from pathlib import Path
from cli.core import translate_exception
from cli.ui.file_lock import exclusively
try:
    with exclusively(Path(sys.argv[1])):
        print("held")
except OSError as error:
    print(vars(translate_exception.explain(error)))
"""


@pytest.mark.skipif(not shutil.which("cc"), reason="it builds a C library that stands for such a file system")
@pytest.mark.parametrize("number", [errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS])
def test_a_file_system_without_locks_is_named_at_once(tmp_path: Path, number: int) -> None:
    source, library = tmp_path / "locks.c", tmp_path / "locks.so"
    source.write_text(NO_LOCKS)
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source], check=True)
    lock = tmp_path / "home" / "dev.lock"
    environ = {
        "PATH": os.environ["PATH"],
        "LD_PRELOAD": str(library),
        "NO_LOCKS": str(number),
        "DASHTAM_DATA_HOME": str(tmp_path / "home"),
    }
    # Twice: a file that is there already must not count as a lock that is held.
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-c", HOLDER, lock],
            cwd=ROOT,
            env=environ,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert f"{lock} can't be locked: {os.strerror(number)}." in done.stdout
        assert "Its file system has no locks" in done.stdout
        assert "Set DASHTAM_DATA_HOME" in done.stdout
        assert done.stderr == ""


def test_the_second_waits_and_announces_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, announced, order = tmp_path / "a" / "lock", threading.Event(), []

    def announce(line: str) -> None:
        order.append(line)
        announced.set()

    monkeypatch.setattr(file_lock, "announce", announce)

    def second() -> None:
        with exclusively(path, "waiting"):
            order.append("second")

    thread = threading.Thread(target=second)
    with exclusively(path, "not waiting"):
        thread.start()
        assert announced.wait(10)
        order.append("first")
    thread.join(10)
    assert order == ["waiting", "first", "second"]


def test_the_same_thread_may_take_it_again(tmp_path: Path) -> None:
    with exclusively(tmp_path / "lock"), exclusively(tmp_path / "lock"):
        pass


def test_a_lock_that_is_not_free_in_time_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    failures: list[BaseException] = []

    def second() -> None:
        try:
            with exclusively(tmp_path / "lock", seconds=0.1):
                pass
        except Timeout as error:
            failures.append(error)

    with exclusively(tmp_path / "lock"):
        thread = threading.Thread(target=second)
        thread.start()
        thread.join(10)
    assert len(failures) == 1
    assert capsys.readouterr().err == ""
