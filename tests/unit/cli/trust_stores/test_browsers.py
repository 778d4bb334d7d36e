from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING
from unittest.mock import Mock

import pytest
import typer

from cli.core.errors import UserError
from cli.trust_stores import browsers
from cli.trust_stores.browsers import Database
from cli.ui import questions

if TYPE_CHECKING:
    from pathlib import Path

    from cli.trust_stores.authority import Authority
    from tests.unit.cli.conftest import MakeProgram


CERTUTIL = """
folder=${2#sql:}
if [ -e "$folder/locked" ]; then echo "bad database" >&2; exit 255; fi
case $3 in
-N) : > "$folder/cert9.db" ;;
-A) cat "$9" > "$folder/$5" ;;
-L) if [ -e "$folder/half" ]; then exit 255; fi; for file in "$folder"/*; do echo "${file##*/}  C,,"; done ;;
-D) rm -f "$folder/half"; if [ -e "$folder/read-only" ]; then exit 255; fi; rm "$folder/$5" ;;
esac
"""
"""Keeps each certificate as a file of its nickname; the first change completes a database that is half made."""

APT_GET = """
case $* in
*"install --yes --no-install-recommends libnss3-tools") echo > "${0%/*}/certutil"; /bin/chmod +x "${0%/*}/certutil" ;;
*update | *--download-only) ;;
*) exit 2 ;;
esac
"""
"""Installs one package, of which it knows one program."""


@pytest.fixture(autouse=True)
def _plain_folders(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("XDG_DATA_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(variable, raising=False)


@pytest.fixture
def certutil(program: MakeProgram, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{program('certutil', CERTUTIL)}:{os.environ['PATH']}")


@pytest.mark.usefixtures("certutil")
@pytest.mark.parametrize("is_made", [True, False], ids=["empty folder", "no folder"])
def test_a_ca_is_added_and_removed(tmp_path: Path, ca: Authority, is_made: bool) -> None:
    file = tmp_path / "ca.crt"
    file.write_text(ca.pem)
    database = Database(tmp_path / ".pki/nssdb", "Chromium")
    if is_made:
        database.folder.mkdir(parents=True)
    assert not database.holds(ca)
    database.add(ca, file)
    assert database.holds(ca)
    database.remove(ca, file)
    assert not database.holds(ca)


@pytest.fixture
def database(tmp_path: Path, ca: Authority, certutil: None) -> Database:  # noqa: ARG001 - makes it
    """A database with the CA."""
    file = tmp_path / "ca.crt"
    file.write_text(ca.pem)
    made = Database(tmp_path / "profile", "Firefox")
    made.add(ca, file)
    return made


def test_what_is_not_there_needs_no_removal(database: Database, tmp_path: Path, ca: Authority) -> None:
    for one in (database, database, Database(tmp_path / "none", "Firefox")):
        one.remove(ca, tmp_path)
        assert one.holds(ca) is False


@pytest.mark.parametrize(("state", "held"), [("locked", None), ("read-only", True)])
def test_a_removal_that_may_have_left_the_ca_fails(
    database: Database, tmp_path: Path, ca: Authority, state: str, held: bool | None
) -> None:
    (database.folder / state).touch()
    assert database.holds(ca) is held
    with pytest.raises(UserError, match="failed"):
        database.remove(ca, tmp_path)
    (database.folder / state).unlink()
    assert database.holds(ca)


def test_a_database_that_was_half_made_has_nothing_to_remove(database: Database, tmp_path: Path, ca: Authority) -> None:
    database.remove(ca, tmp_path)
    (database.folder / "half").touch()
    assert database.holds(ca) is None
    database.remove(ca, tmp_path)
    assert database.holds(ca) is False


def test_without_certutil_nothing_can_look(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ca: Authority) -> None:
    (tmp_path / "cert9.db").touch()
    monkeypatch.setenv("PATH", "")
    assert Database(tmp_path, "Firefox").holds(ca) is None
    assert Database(tmp_path / "none", "Firefox").holds(ca) is False


def test_the_databases_of_a_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert browsers.stores(tmp_path) == []
    profile = tmp_path / ".mozilla/firefox/abc.default"
    profile.mkdir(parents=True)
    assert browsers.stores(tmp_path) == []
    (profile / "cert9.db").touch()
    assert [one.place for one in browsers.stores(tmp_path)] == [f"Firefox ({profile})"]
    (recent := tmp_path / ".config/mozilla/firefox/def.default").mkdir(parents=True)
    (recent / "cert9.db").touch()
    assert [one.place for one in browsers.stores(tmp_path)] == [f"Firefox ({profile})", f"Firefox ({recent})"]


@pytest.mark.parametrize("name", ["chromium", "google-chrome-stable", "brave-browser"])
def test_chromiums_database_is_the_one_that_it_uses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: MakeProgram, name: str
) -> None:
    monkeypatch.setenv("PATH", str(program(name, "")))
    recent, former = tmp_path / ".local/share/pki/nssdb", tmp_path / ".pki/nssdb"
    # It has never run. One at the former place would come before all that it has at the recent one.
    assert [one.place for one in browsers.stores(tmp_path)] == [f"Chromium and Chrome ({recent})"]
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    assert [one.place for one in browsers.stores(tmp_path)] == [f"Chromium and Chrome ({tmp_path / 'data/pki/nssdb'})"]
    monkeypatch.setenv("XDG_DATA_HOME", "relative")
    recent.mkdir(parents=True)
    assert [one.place for one in browsers.stores(tmp_path)] == [f"Chromium and Chrome ({recent})"]
    former.mkdir(parents=True)
    assert browsers.stores(tmp_path)[0].place == f"Chromium and Chrome ({former})"
    recent.rmdir()
    assert [one.place for one in browsers.stores(tmp_path)] == [f"Chromium and Chrome ({former})"]


@pytest.fixture
def debian(program: MakeProgram, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with nothing but apt-get, and root who uses it; the folder of its programs."""
    folder = program("apt-get", APT_GET)
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    return folder


@pytest.mark.usefixtures("certutil")
def test_nothing_is_installed_where_certutil_is() -> None:
    browsers.require_certutil(yes=False, install=False)


@pytest.mark.parametrize("reason", ["refused", "not root", "no apt-get"])
def test_where_nothing_may_be_installed_the_command_is_told(
    debian: Path, monkeypatch: pytest.MonkeyPatch, reason: str
) -> None:
    if reason == "not root":
        monkeypatch.setattr(os, "geteuid", lambda: 1000)
    if reason == "no apt-get":
        (debian / "apt-get").unlink()
    with pytest.raises(UserError, match="certutil is missing") as raised:
        browsers.require_certutil(yes=False, install=reason != "refused")
    has_apt = reason != "no apt-get"
    assert ("apt-get install --yes --no-install-recommends libnss3-tools" in raised.value.remedy) is has_apt
    assert ("sudo" in raised.value.remedy) is (reason == "not root")
    assert shutil.which("certutil") is None


@pytest.mark.usefixtures("debian")
def test_certutil_is_installed_once_it_is_asked(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(questions, "confirm", lambda question, **_: asked.append(question))
    browsers.require_certutil(yes=False, install=True)
    assert asked == ["Install certutil?"]
    assert "libnss3-tools" in capsys.readouterr().err
    assert shutil.which("certutil")
    # Now it is there.
    browsers.require_certutil(yes=False, install=True)
    assert asked == ["Install certutil?"]


@pytest.mark.usefixtures("debian")
def test_a_failed_installation_is_told_with_what_apt_says(program: MakeProgram) -> None:
    program("apt-get", "echo 'E: no network'; exit 100")
    with pytest.raises(UserError, match="can't be installed") as raised:
        browsers.require_certutil(yes=True, install=True)
    assert raised.value.cause == "E: no network"
    assert "--store system" in raised.value.remedy


@pytest.mark.usefixtures("debian")
def test_who_says_no_gets_no_certutil(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(questions, "confirm", Mock(side_effect=typer.Abort))
    with pytest.raises(typer.Abort):
        browsers.require_certutil(yes=False, install=True)
    assert shutil.which("certutil") is None
