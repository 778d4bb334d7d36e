from __future__ import annotations

import base64
import os
import re
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from infra.targets.files import ARCHIVE, CLEAR, UNPACK, archive, install_script

CONTENT = {"ca.crt": "certificate\n", "password": "it's $HOME; `id`\n", "tls.key": "key\n"}


@pytest.fixture
def owner() -> str:
    """Someone whom this process can give files to: anyone for root, else itself."""
    return "70:71" if os.geteuid() == 0 else f"{os.getuid()}:{os.getgid()}"


@pytest.fixture
def installed(tmp_path: Path, owner: str) -> Path:
    """A folder into which the real script has installed uploaded files over older ones."""
    uploads, mount = tmp_path / "install", tmp_path / "files" / "app"
    uploads.mkdir()
    mount.mkdir(parents=True)
    (mount / "old.key").write_text("left by an earlier run")
    (mount / "password").write_text("left by an earlier run")
    content = {f"app/{name}": text for name, text in CONTENT.items()}
    (uploads / ARCHIVE).write_bytes(base64.b64decode(archive(content)))
    done = _run("; ".join([UNPACK, install_script("app", owner, list(CONTENT)), CLEAR]), tmp_path)
    assert done.returncode == 0, done.stderr
    mount.chmod(0o700)  # for a reader who is not root
    return mount


def _run(script: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a script of the installer as if a folder were the root of its file system."""
    shell = shutil.which("sh")
    assert shell
    for path in ("/install", "/files"):
        script = re.sub(rf"(?<=[ ;]){path}\b", f"{folder}{path}", script)
    return subprocess.run([shell, "-euc", script], check=False, capture_output=True, text=True)


def test_the_files_are_there_and_no_others(installed: Path) -> None:
    assert {path.name: path.read_text() for path in installed.iterdir()} == CONTENT


def test_the_reader_owns_them_and_nobody_else_reads_them(installed: Path, owner: str) -> None:
    for path in installed.iterdir():
        status = path.stat()
        assert stat.S_IMODE(status.st_mode) == 0o400
        assert f"{status.st_uid}:{status.st_gid}" == owner
    assert f"{installed.stat().st_uid}:{installed.stat().st_gid}" == owner


def test_the_uploads_are_gone(installed: Path) -> None:
    assert not (installed.parent.parent / "install").exists()


def test_the_script_closes_the_folder_last() -> None:
    assert install_script("app", "70:70", ["a"]).split("; ") == [
        "install -o 70 -g 70 -m 0400 /install/app/a /files/app/.new",
        "mv -f /files/app/.new /files/app/a",
        "find /files/app -type f ! -name a -exec rm -f {} +",
        "chown 70:70 /files/app",
        "chmod 0500 /files/app",
    ]


def test_a_missing_upload_stops_the_script(tmp_path: Path, owner: str) -> None:
    done = _run(install_script("app", owner, ["missing"]), tmp_path)
    assert done.returncode != 0
    assert "missing" in done.stderr


def test_the_same_files_make_the_same_archive() -> None:
    assert archive(CONTENT) == archive(dict(reversed(CONTENT.items())))
    assert archive(CONTENT) != archive({**CONTENT, "password": "another"})
