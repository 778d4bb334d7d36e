from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from cli.errors import UserError
from cli.machine import apt
from cli.machine.process import CommandError
from cli.trust import browsers
from cli.trust.authority import Authority
from cli.trust.browsers import Database
from tests.unit.cli.conftest import MakeProgram


def _silent(_text: str) -> None: ...


def _refuse(question: str) -> None:
    raise AssertionError(question)


CERTUTIL = """
folder=${2#sql:}
case $3 in
-N) : > "$folder/cert9.db" ;;
-A) cat "$9" > "$folder/$5" ;;
-L) cat "$folder/$5" 2>/dev/null || exit 255 ;;
-D) rm "$folder/$5" ;;
esac
"""
"""Keeps each certificate as a file of its nickname."""


@pytest.fixture
def certutil(program: MakeProgram, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{program('certutil', CERTUTIL)}:{os.environ['PATH']}")


@pytest.mark.usefixtures("certutil")
def test_a_ca_goes_in_and_out(tmp_path: Path, ca: Authority) -> None:
    file = tmp_path / "ca.crt"
    file.write_text(ca.pem)
    database = Database(tmp_path / ".pki/nssdb", "Chromium")
    assert not database.holds(ca)
    database.add(ca, file, _silent)
    assert database.holds(ca)
    database.remove(ca, file, _silent)
    assert not database.holds(ca)


def test_the_databases_of_a_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: MakeProgram) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert browsers.stores(tmp_path) == []
    profile = tmp_path / ".mozilla/firefox/abc.default"
    profile.mkdir(parents=True)
    assert browsers.stores(tmp_path) == []
    (profile / "cert9.db").touch()
    assert [one.place for one in browsers.stores(tmp_path)] == [f"Firefox ({profile})"]
    monkeypatch.setenv("PATH", str(program("chromium", "")))
    expected = [f"Chromium and Chrome ({tmp_path / '.pki/nssdb'})", f"Firefox ({profile})"]
    assert [one.place for one in browsers.stores(tmp_path)] == expected
    (tmp_path / ".pki/nssdb").mkdir(parents=True)
    assert [one.place for one in browsers.stores(tmp_path)] == expected


@pytest.mark.usefixtures("certutil")
def test_nothing_is_installed_where_certutil_is() -> None:
    browsers.require_certutil(_refuse, install=False)


@pytest.mark.parametrize(("install", "root"), [(False, True), (True, False)])
def test_where_nothing_may_be_installed_the_command_is_told(
    monkeypatch: pytest.MonkeyPatch, install: bool, root: bool
) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None if name == "certutil" else f"/bin/{name}")
    monkeypatch.setattr(os, "geteuid", lambda: 0 if root else 1000)
    with pytest.raises(UserError, match="certutil is missing") as raised:
        browsers.require_certutil(_refuse, install=install)
    assert "libnss3-tools" in raised.value.remedy
    assert ("sudo" in raised.value.remedy) is not root


@pytest.mark.parametrize("fails", [False, True])
def test_certutil_is_installed(monkeypatch: pytest.MonkeyPatch, fails: bool) -> None:
    asked: list[object] = []

    def install(packages: object, _what: str) -> None:
        asked.append(packages)
        if fails:
            raise CommandError(["apt-get"], "ended with status 100", ["no network"])

    monkeypatch.setattr(shutil, "which", lambda name: None if name == "certutil" else f"/bin/{name}")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(apt, "install", install)
    if fails:
        with pytest.raises(UserError, match="can't be installed"):
            browsers.require_certutil(asked.append, install=True)
    else:
        browsers.require_certutil(asked.append, install=True)
    assert asked == ["Install it?", ("libnss3-tools",)]


def test_who_says_no_gets_no_certutil(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None if name == "certutil" else f"/bin/{name}")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(apt, "install", _refuse)
    with pytest.raises(AssertionError, match="Install it"):
        browsers.require_certutil(_refuse, install=True)
