from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from cli.core import signals
from cli.core.errors import UserError
from cli.machine import packages

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.cli.conftest import MakeProgram


def calls(tmp_path: Path) -> list[str]:
    return (tmp_path / "calls").read_text().splitlines()


def apt_get(tmp_path: Path, program: MakeProgram, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    folder = program("apt-get", f'echo "$DEBIAN_FRONTEND $*" >> {tmp_path}/calls; {script}')
    monkeypatch.setenv("PATH", str(folder), prepend=":")


def test_packages_are_installed_without_questions_even_if_a_source_fails(
    tmp_path: Path, program: MakeProgram, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    apt_get(tmp_path, program, monkeypatch, 'case "$*" in *update*) exit 100;; esac')
    packages.install(("one", "two"), "what is needed", remedy="")
    update, download, install = calls(tmp_path)
    assert update == "noninteractive -q -o DPkg::Lock::Timeout=120 update"
    assert install.endswith(" install --yes --no-install-recommends one two")
    assert download == f"{install} --download-only"
    written = capsys.readouterr().err
    assert "Installing what is needed: " in written
    assert "apt-get update ended with status 100; continuing" in written


def test_packages_that_cannot_be_installed_are_an_error(
    tmp_path: Path, program: MakeProgram, monkeypatch: pytest.MonkeyPatch
) -> None:
    apt_get(tmp_path, program, monkeypatch, "echo E: no such package; exit 100")
    with pytest.raises(UserError, match="Debian's packages for what is needed can't be installed") as caught:
        packages.install(("one",), "what is needed", remedy="Do this.")
    assert "no such package" in caught.value.cause
    assert caught.value.remedy == "Do this."


def test_a_half_installed_package_has_its_remedy(
    tmp_path: Path, program: MakeProgram, monkeypatch: pytest.MonkeyPatch
) -> None:
    apt_get(tmp_path, program, monkeypatch, "echo 'E: dpkg was interrupted, you must correct it'; exit 100")
    with pytest.raises(UserError) as caught:
        packages.install(("one",), "what is needed", remedy="Do this.")
    assert "dpkg --configure -a" in caught.value.remedy


@pytest.mark.parametrize(("during", "made"), [("*--download-only*", []), ("*install*one", ["downloaded", "installed"])])
def test_a_signal_ends_the_download_but_not_the_installation(
    tmp_path: Path, program: MakeProgram, monkeypatch: pytest.MonkeyPatch, during: str, made: list[str]
) -> None:
    script = f"""
    case "$*" in {during}) kill -TERM $PPID; seq 1000 ;; esac
    case "$*" in
        *update*) ;;
        *--download-only*) {"exec sleep 60" if not made else f"echo downloaded >> {tmp_path}/made"} ;;
        *) echo installed >> {tmp_path}/made ;;
    esac"""
    apt_get(tmp_path, program, monkeypatch, script)
    (tmp_path / "made").touch()
    with pytest.raises(KeyboardInterrupt), signals.raised():
        packages.install(("one",), "what is needed", remedy="")
    assert (tmp_path / "made").read_text().split() == made


@pytest.mark.parametrize(("user", "sudo"), [(0, ""), (1000, "sudo ")])
def test_the_command_for_people(monkeypatch: pytest.MonkeyPatch, user: int, sudo: str) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: user)
    assert packages.command(("one", "two")) == f"{sudo}apt-get install --yes --no-install-recommends one two"
