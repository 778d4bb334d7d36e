from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest
import typer

from cli.core.errors import UserError
from cli.ui import output_files


def _write(file: Path | str, content: bytes = b"new", mode: int | None = None) -> None:
    with output_files.opened(str(file), mode) as opened:
        opened.write(content)


def _answer(monkeypatch: pytest.MonkeyPatch, answer: bool) -> list[str]:
    asked: list[str] = []

    def confirm(question: str, **_: object) -> bool:
        asked.append(question)
        return answer

    monkeypatch.setattr(typer, "confirm", confirm)
    return asked


def test_a_new_file_is_written_without_a_question(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = _answer(monkeypatch, answer=False)
    output_files.ask(str(tmp_path / "file"), yes=False)
    _write(tmp_path / "file", mode=0o600)
    assert (tmp_path / "file").read_bytes() == b"new"
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o600
    assert asked == []


@pytest.mark.parametrize("through_a_link", [False, True])
def test_a_file_is_replaced_only_where_one_agrees(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, through_a_link: bool
) -> None:
    file, name = tmp_path / "file", tmp_path / "link"
    file.write_bytes(b"old")
    name.symlink_to("file")
    named = str(name if through_a_link else file)
    asked = _answer(monkeypatch, answer=False)
    with pytest.raises(typer.Abort):
        output_files.ask(named, yes=False)
    assert asked == [f"{named} exists. Replace it?"]
    output_files.ask(named, yes=True)
    _answer(monkeypatch, answer=True)
    output_files.ask(named, yes=False)


def test_where_nobody_can_be_asked_it_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"old")
    with pytest.raises(UserError) as raised:
        output_files.ask(str(file), yes=False, as_json=True)
    assert raised.value.remedy == "Add --yes."
    with (tmp_path / "empty").open("w+") as nothing:
        monkeypatch.setattr("sys.stdin", nothing)
        with pytest.raises(UserError) as raised:
            output_files.ask(str(file), yes=False)
    assert raised.value.remedy == "Add --yes."


@pytest.mark.parametrize("is_there", [True, False])
def test_a_link_is_followed_and_stays(tmp_path: Path, is_there: bool) -> None:
    (tmp_path / "folder").mkdir()
    file, link = tmp_path / "folder" / "file", tmp_path / "link"
    if is_there:
        file.write_bytes(b"old")
    link.symlink_to("folder/file")
    _write(link)
    assert link.readlink() == Path("folder/file")
    assert file.read_bytes() == b"new"
    assert {one.name for one in file.parent.iterdir()} == {"file"}


def test_a_pipe_is_written_to_and_stays(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()))
    reader.start()
    output_files.ask(str(pipe), yes=False)
    _write(pipe)
    reader.join(10)
    assert read == [b"new"]
    assert pipe.is_fifo()


def test_a_device_is_written_to() -> None:
    output_files.ask("/dev/full", yes=False)
    with pytest.raises(OSError, match="No space left"):
        _write("/dev/full")


@pytest.mark.parametrize("name", ["/dev/fd/{}", "/proc/self/fd/{}"])
def test_an_open_file_is_appended_to(tmp_path: Path, name: str) -> None:
    with (tmp_path / "file").open("wb") as file:
        file.write(b"before ")
        file.flush()
        output_files.ask(name.format(file.fileno()), yes=False)
        _write(name.format(file.fileno()))
    assert (tmp_path / "file").read_bytes() == b"before new"


@pytest.mark.parametrize("name", ["-", "/dev/stdout"])
def test_standard_output_is_not_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    with (tmp_path / "file").open("w") as file:
        file.write("before ")
        file.flush()
        monkeypatch.setattr("sys.stdout", file)
        output_files.ask(name, yes=False)
        _write(name)
    assert (tmp_path / "file").read_bytes() == b"before new"


@pytest.mark.parametrize(("name", "cause"), [("folder", "is a folder"), ("none/file", "does not exist")])
def test_a_place_that_can_not_be_written_is_refused(tmp_path: Path, name: str, cause: str) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(UserError, match="can't be written") as raised:
        output_files.ask(str(tmp_path / name), yes=True)
    assert cause in raised.value.cause
    assert raised.value.exit_status == 64


def test_a_failure_leaves_what_was_there(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"old")

    def fail() -> None:
        with output_files.opened(str(file)) as opened:
            opened.write(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert {one.name: one.read_bytes() for one in tmp_path.iterdir()} == {"file": b"old"}


def test_a_replaced_file_keeps_its_rights(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    file.chmod(0o640)
    output_files.deliver(str(file), lambda: "new", "", yes=True)
    assert file.read_text() == "new"
    assert file.stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize("stream", [True, False])
def test_a_text_is_printed_or_in_the_file_that_the_note_names(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], *, stream: bool
) -> None:
    file = output_files.STREAM if stream else str(tmp_path / "file")
    output_files.deliver(file, lambda: "a text\n", "it is written", yes=False)
    said = capsys.readouterr()
    assert (said.out, said.err) == (("a text\n", "") if stream else ("", "it is written\n"))
    assert [one.read_text() for one in tmp_path.iterdir()] == ([] if stream else ["a text\n"])


def test_a_text_that_nobody_wants_written_is_not_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("old")
    _answer(monkeypatch, answer=False)
    with pytest.raises(typer.Abort):
        output_files.deliver(str(tmp_path / "file"), lambda: pytest.fail("made"), "", yes=False)
