from __future__ import annotations

import os
import platform
from pathlib import Path

import pytest

from cli.core.errors import UserError
from cli.trust_stores import store, system
from cli.trust_stores.authority import Authority, NotBegunError
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
    with pytest.raises(NotBegunError, match="root only") as raised:
        store.run_as_root(["update", "a b"])
    assert raised.value.cause == "`sudo -- true` can't be run: No such file or directory"
    assert raised.value.remedy.endswith(": update 'a b'")


def test_what_sudo_says_when_it_refuses_is_told(program: MakeProgram, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = program("sudo", "echo 'alice is not in the sudoers file.' >&2; exit 1")
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(NotBegunError) as raised:
        store.run_as_root(["update"])
    assert raised.value.cause == "alice is not in the sudoers file."


def test_a_failure_of_what_sudo_runs_is_not_one_of_sudo(program: MakeProgram, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{program('sudo', 'shift; exec $*')}:{os.environ['PATH']}")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(UserError, match="failed") as raised:
        store.run_as_root(["false"])
    assert not isinstance(raised.value, NotBegunError)


def test_what_a_failed_command_said_is_told() -> None:
    with pytest.raises(UserError, match="failed") as raised:
        store.run(["sh", "-c", "echo why >&2; exit 3"])
    assert raised.value.cause == "why"


def test_a_program_that_is_missing_is_told() -> None:
    with pytest.raises(UserError, match="no-such-program is not installed"):
        store.run(["no-such-program"])


@pytest.fixture
def without_home(tmp_path: Path, program: MakeProgram, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home that root may not read, as on NFS: sudo fails for any argument below it."""
    home = tmp_path / "home"
    home.mkdir()
    script = f"""
    shift
    for one; do
        case $one in *{home}/*) echo "$one: Permission denied" >&2; exit 1 ;; esac
    done
    exec "$@"
    """
    monkeypatch.setenv("PATH", f"{program('sudo', script)}:{os.environ['PATH']}")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    return home


@pytest.mark.parametrize("listed", [None, "ca-certificates.conf"])
def test_root_needs_no_file_of_the_home(
    tmp_path: Path, without_home: Path, ca: Authority, updater: list[str], listed: str | None
) -> None:
    file = without_home / "ca.crt"
    file.write_text(ca.pem)
    if listed:
        (tmp_path / listed).write_text("mozilla/A.crt\n")
    anchors = AnchorFolder(tmp_path, ".crt", updater, tmp_path / listed if listed else None)
    anchors.add(ca, file)
    assert anchors.holds(ca)
    anchors.remove(ca, file)
    assert not anchors.holds(ca)


def test_root_needs_no_file_of_the_home_on_a_mac(
    without_home: Path, ca: Authority, program: MakeProgram, tmp_path: Path
) -> None:
    program("security", f'for last; do :; done; cat "$last" >> {tmp_path}/read')
    file = without_home / "ca.crt"
    file.write_text(ca.pem)
    Keychain().add(ca, file)
    assert (tmp_path / "read").read_text() == ca.pem


def test_a_command_that_reads_a_file_is_shown_as_it_can_be_run_by_hand(file: Path) -> None:
    with pytest.raises(UserError, match=rf"`sh -c 'exit 3' < {file}` failed"):
        store.run(["sh", "-c", "exit 3"], file)
    assert store.run(["cat"], file) == file.read_text()


SECURITY = """
cd {folder}
case $1 in
find-certificate) if [ -e certificate ]; then echo "SHA-256 hash: {fingerprint}"; fi ;;
add-trusted-cert) touch trust certificate ;;
remove-trusted-cert) rm trust ;;
delete-certificate) [ ! -e broken ] && rm certificate ;;
esac
"""
"""Removing what isn't there fails, and while there is a file `broken`, removing a certificate."""


@pytest.fixture
def keychain(tmp_path: Path, ca: Authority, program: MakeProgram, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the state of a Mac's keychain."""
    folder = tmp_path / "keychain"
    folder.mkdir()
    script = SECURITY.format(folder=folder, fingerprint=ca.fingerprint.upper())
    monkeypatch.setenv("PATH", f"{program('security', script)}:{os.environ['PATH']}")
    return folder


@pytest.mark.usefixtures("as_root")
def test_a_keychain_knows_fingerprints(ca: Authority, file: Path, keychain: Path) -> None:
    assert not Keychain().holds(ca)
    Keychain().add(ca, file)
    assert Keychain().holds(ca)
    assert {one.name for one in keychain.iterdir()} == {"trust", "certificate"}
    Keychain().remove(ca, file)
    assert [*keychain.iterdir()] == []


@pytest.mark.usefixtures("as_root")
@pytest.mark.parametrize("left", [{"certificate"}, {"trust"}, set()])
def test_a_removal_from_a_keychain_that_was_interrupted_is_finished(
    ca: Authority, file: Path, keychain: Path, left: set[str]
) -> None:
    for name in left:
        (keychain / name).touch()
    Keychain().remove(ca, file)
    assert [*keychain.iterdir()] == []


@pytest.mark.usefixtures("as_root")
def test_a_removal_from_a_keychain_that_fails_is_told(ca: Authority, file: Path, keychain: Path) -> None:
    Keychain().add(ca, file)
    (keychain / "broken").touch()
    with pytest.raises(UserError, match="failed"):
        Keychain().remove(ca, file)
    assert Keychain().holds(ca)


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
