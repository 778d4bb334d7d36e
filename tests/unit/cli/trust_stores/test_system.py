from __future__ import annotations

import os
import platform
from pathlib import Path

import pytest

from cli.core.errors import UserError
from cli.trust_stores import store, system
from cli.trust_stores.authority import Authority
from cli.trust_stores.system import AnchorFolder, Keychain
from tests.unit.cli.conftest import MakeProgram
from tests.unit.cli.trust_stores.conftest import MakeAuthority


@pytest.fixture
def as_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)


@pytest.fixture
def updater(tmp_path: Path, program: MakeProgram) -> list[str]:
    """A command that notes what it was told, and the list that it was given."""
    said = tmp_path / "said"
    script = f'echo "$@" >> {said}; if [ -n "$2" ]; then cat "$2" >> {said}; fi'
    return [str(program("update", script) / "update")]


@pytest.fixture
def file(tmp_path: Path, ca: Authority) -> Path:
    path = tmp_path / "ca.crt"
    path.write_text(ca.pem)
    return path


@pytest.mark.usefixtures("as_root")
def test_a_ca_goes_in_and_out(tmp_path: Path, ca: Authority, file: Path, updater: list[str]) -> None:
    folder = tmp_path / "anchors"
    folder.mkdir()
    (folder / "someone-elses.pem").write_text("theirs")
    anchors = AnchorFolder(folder, ".pem", updater)
    assert not anchors.holds(ca)
    anchors.add(ca, file)
    assert anchors.holds(ca)
    assert (folder / f"{ca.name}.pem").stat().st_mode & 0o777 == 0o644
    anchors.remove(ca, file)
    assert not anchors.holds(ca)
    assert [path.name for path in folder.iterdir()] == ["someone-elses.pem"]
    assert (tmp_path / "said").read_text() == "\n\n"


@pytest.mark.usefixtures("as_root")
def test_debian_is_told_of_what_goes(tmp_path: Path, ca: Authority, file: Path, updater: list[str]) -> None:
    listed = tmp_path / "ca-certificates.conf"
    listed.write_text("mozilla/A.crt\n")
    AnchorFolder(tmp_path, ".crt", updater, listed).remove(ca, file)
    command, *lines = (tmp_path / "said").read_text().splitlines()
    assert command.startswith("--certsconf ")
    assert lines == ["mozilla/A.crt", f"!{ca.name}.crt"]
    assert not Path(command.split()[1]).exists()
    assert listed.read_text() == "mozilla/A.crt\n"


def test_a_file_of_that_name_with_another_certificate_is_not_ours(
    tmp_path: Path, ca: Authority, make_authority: MakeAuthority
) -> None:
    (tmp_path / f"{ca.name}.crt").write_text(make_authority().pem)
    assert not AnchorFolder(tmp_path, ".crt", ["true"]).holds(ca)


def test_sudo_is_used_and_announced(
    tmp_path: Path, program: MakeProgram, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = program("sudo", f'echo "$@" > {tmp_path}/asked')
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    store.run_as_root(["update", "a b"])
    assert capsys.readouterr().err == "As root: update 'a b'\n"
    assert (tmp_path / "asked").read_text() == "-- update a b\n"


def test_where_there_is_no_way_to_become_root_the_command_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(UserError, match="root only") as raised:
        store.run_as_root(["update"])
    assert "update" in raised.value.remedy


def test_what_a_failed_command_said_is_told() -> None:
    with pytest.raises(UserError, match="failed") as raised:
        store.run(["sh", "-c", "echo why >&2; exit 3"])
    assert raised.value.cause == "why"


def test_a_program_that_is_missing_is_told() -> None:
    with pytest.raises(UserError, match="no-such-program is not installed"):
        store.run(["no-such-program"])


@pytest.mark.usefixtures("as_root")
def test_a_keychain_knows_fingerprints(
    tmp_path: Path, ca: Authority, file: Path, program: MakeProgram, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = f'echo "$@" >> {tmp_path}/asked; echo "SHA-256 hash: {ca.fingerprint.upper()}"'
    monkeypatch.setenv("PATH", f"{program('security', script)}:{os.environ['PATH']}")
    keychain = Keychain()
    assert keychain.holds(ca)
    keychain.add(ca, file)
    keychain.remove(ca, file)
    assert [line.split()[0] for line in (tmp_path / "asked").read_text().splitlines()] == [
        *("find-certificate", "add-trusted-cert"),
        *("remove-trusted-cert", "delete-certificate"),
    ]


@pytest.mark.parametrize(
    ("kind", "folders", "found"),
    [
        ("Linux", ["a", "b"], ["a"]),
        ("Linux", ["b"], ["b"]),
        ("Linux", [], []),
    ],
)
def test_the_store_of_this_system(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, folders: list[str], found: list[str]
) -> None:
    for name in folders:
        (tmp_path / name).mkdir()
    monkeypatch.setattr(platform, "system", lambda: kind)
    anchors = [AnchorFolder(tmp_path / name, ".crt", [command]) for name, command in (("a", "sh"), ("b", "sh"))]
    monkeypatch.setattr(system, "ANCHORS", [AnchorFolder(tmp_path, ".crt", ["no-such-program"]), *anchors])
    assert [one.place.rsplit("/", 1)[-1].rstrip(")") for one in system.stores()] == found


def test_the_store_of_a_mac(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "system", lambda: "Darwin")
    assert system.stores() == [Keychain()]
