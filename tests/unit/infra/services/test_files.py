from __future__ import annotations

import base64
import os
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from infra.services.files import ARCHIVE, archive, install_script

CONTENT = {"ca.crt": "certificate\n", "password": "it's $HOME; `id`\n", "tls.key": "key\n"}


@pytest.fixture
def owner() -> str:
    """Someone whom this process can give files to: anyone for root, else itself."""
    return "70:71" if os.geteuid() == 0 else f"{os.getuid()}:{os.getgid()}"


@pytest.fixture
def installed(tmp_path: Path, owner: str) -> Path:
    """A folder into which the real script has installed uploaded files over older ones."""
    uploads, mount = tmp_path / "install", tmp_path / "secrets"
    uploads.mkdir()
    mount.mkdir()
    (mount / "old.key").write_text("left by an earlier run")
    (mount / "password").write_text("left by an earlier run")
    (uploads / ARCHIVE).write_bytes(base64.b64decode(archive(CONTENT)))
    script = install_script(owner, list(CONTENT))
    script = script.replace("/install", str(uploads)).replace("/run/secrets", str(mount))
    shell = shutil.which("sh")
    assert shell
    subprocess.run([shell, "-euc", script], check=True, capture_output=True)
    mount.chmod(0o700)  # for a reader who is not root
    return mount


def test_the_files_are_there_and_no_others(installed: Path) -> None:
    assert {path.name: path.read_text() for path in installed.iterdir()} == CONTENT


def test_the_reader_owns_them_and_nobody_else_reads_them(installed: Path, owner: str) -> None:
    for path in installed.iterdir():
        status = path.stat()
        assert stat.S_IMODE(status.st_mode) == 0o400
        assert f"{status.st_uid}:{status.st_gid}" == owner
    assert f"{installed.stat().st_uid}:{installed.stat().st_gid}" == owner


def test_the_uploads_are_gone(installed: Path) -> None:
    assert not (installed.parent / "install").exists()


def test_the_script_closes_the_folder_last() -> None:
    steps = install_script("70:70", ["a"]).split("; ")
    assert steps == [
        "tar -xf /install/files.tar -C /install",
        "install -o 70 -g 70 -m 0400 /install/a /run/secrets/.new",
        "mv -f /run/secrets/.new /run/secrets/a",
        "find /run/secrets -type f ! -name a -exec rm -f {} +",
        "chown 70:70 /run/secrets",
        "chmod 0500 /run/secrets",
        "rm -rf /install",
    ]


def test_a_missing_upload_stops_the_script(tmp_path: Path, owner: str) -> None:
    script = install_script(owner, ["missing"]).replace("/run/secrets", str(tmp_path))
    shell = shutil.which("sh")
    assert shell
    done = subprocess.run([shell, "-euc", script.replace("rm -rf /install", ":")], check=False, capture_output=True)
    assert done.returncode != 0
    assert b"/install" in done.stderr


def test_the_same_files_make_the_same_archive() -> None:
    assert archive(CONTENT) == archive(dict(reversed(CONTENT.items())))
    assert archive(CONTENT) != archive({**CONTENT, "password": "another"})
