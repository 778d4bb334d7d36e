from __future__ import annotations

import errno
import os
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING
from unittest.mock import Mock

import pytest
from docker.errors import NotFound

from cli.core.errors import UserError
from cli.data import database as databases
from cli.data import sealed_secrets
from cli.data.backups import dump
from cli.data.database import Database
from cli.engine import streams
from cli.engine.streams import CommandError
from cli.environments import passphrase
from cli.environments.clone import Clone
from cli.environments.handle import EnvironmentHandle
from cli.ui.output_files import STREAM
from tests.unit.cli.conftest import HEALTHY

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path


CONTENT = [b"PGDMP", b"rows" * 1000]


@dataclass
class Container:
    """PostgreSQL's container: its dump can end with a failure after some of it was written."""

    failure: Exception | None = None
    commands: list[Sequence[str]] = field(default_factory=list)
    closed: bool = False

    def output(self, _client: object, _container: str, command: Sequence[str]) -> Iterator[bytes]:
        self.commands.append(command)
        try:
            yield CONTENT[0]
            if self.failure:
                raise self.failure
            yield from CONTENT[1:]
        finally:
            self.closed = True


@pytest.fixture
def postgres(monkeypatch: pytest.MonkeyPatch) -> Container:
    container = Container()
    monkeypatch.setattr(streams, "output", container.output)
    monkeypatch.setattr(Database, "major", lambda _self: 17)
    monkeypatch.setattr(databases, "of", lambda *_: Database(Mock(), "id", "dashtam", "dev"))
    return container


@pytest.fixture
def keys() -> dict[str, bytes]:
    """The files in the app's container."""
    return {}


@pytest.fixture
def environment(tmp_path: Path, keys: dict[str, bytes]) -> EnvironmentHandle:
    def read(_container: str, path: str) -> bytes:
        if path not in keys:
            raise NotFound(path)
        return keys[path]

    clone = Clone("me", tmp_path, tmp_path / "home")
    clone.passphrase_file.parent.mkdir(parents=True, exist_ok=True)
    clone.passphrase_file.write_text("of this clone")
    services = [replace(HEALTHY, component="app")]
    return EnvironmentHandle("dev", clone, Mock(containers=lambda *_: services, read_file=read))


def test_a_backup_holds_the_dump_and_its_label(
    postgres: Container, environment: EnvironmentHandle, tmp_path: Path
) -> None:
    made = dump.backup(environment, str(tmp_path / "dev.backup"))
    assert made.environment == "dev"
    assert made.bytes == sum(map(len, CONTENT))
    written = (tmp_path / "dev.backup").read_bytes()
    assert b"".join(CONTENT) in written
    assert made.sha256 in written.decode(errors="ignore")
    assert [tuple(words[: len(dump.DUMP)]) for words in postgres.commands] == [dump.DUMP]
    assert postgres.closed


def test_keys_are_in_it_sealed(
    postgres: Container,
    environment: EnvironmentHandle,
    tmp_path: Path,
    keys: dict[str, bytes],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(passphrase, "loses_token_keys", lambda _clone: False)
    assert not postgres.closed
    keys[sealed_secrets.INSTALLED_TOKEN_KEYS] = b"the master keys"
    dump.backup(environment, str(tmp_path / "dev.backup"))
    written = (tmp_path / "dev.backup").read_bytes()
    assert b"ciphertext" in written
    assert b"the master keys" not in written


def test_keys_are_in_it_where_the_app_was_not_chosen_to_run(
    postgres: Container,
    environment: EnvironmentHandle,
    tmp_path: Path,
    keys: dict[str, bytes],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(passphrase, "loses_token_keys", lambda _clone: False)
    installer = replace(HEALTHY, component="files", id="installer")
    monkeypatch.setattr(environment.view, "containers", lambda *_: [replace(HEALTHY, component="postgres"), installer])
    keys["/files/app/token-keys.json"] = b"the master keys"
    dump.backup(environment, str(tmp_path / "dev.backup"))
    assert postgres.closed
    assert b"ciphertext" in (tmp_path / "dev.backup").read_bytes()


@pytest.mark.parametrize(
    ("failure", "message", "cause", "remedy"),
    [
        (
            CommandError(1, "pg_dump: error: query failed"),
            "The database of dev can't be backed up",
            "query failed",
            "./dashtam status dev",
        ),
        (CommandError(1, "No space left on device"), "The database of dev can't be backed up", "space", "disk space"),
        (OSError(errno.EFBIG, "File too large"), "The backup can't be written", "File too large", "another file"),
        (
            BrokenPipeError(errno.EPIPE, "Broken pipe"),
            "The backup can't be written",
            "The program that reads the backup ended.",
            "Check its error output",
        ),
    ],
)
def test_a_failure_leaves_what_was_there(
    postgres: Container,
    environment: EnvironmentHandle,
    tmp_path: Path,
    failure: Exception,
    message: str,
    cause: str,
    remedy: str,
) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()
    (folder / "dev.backup").write_bytes(b"of yesterday")
    postgres.failure = failure
    with pytest.raises(UserError, match=message) as raised:
        dump.backup(environment, str(folder / "dev.backup"))
    assert cause in raised.value.cause
    assert remedy in raised.value.remedy
    assert {one.name: one.read_bytes() for one in folder.iterdir()} == {"dev.backup": b"of yesterday"}
    assert postgres.closed


@pytest.mark.parametrize("failure", [ConnectionResetError(errno.ECONNRESET, "reset"), OSError("the engine's")])
def test_a_failure_of_the_engine_is_not_taken_for_a_full_disk(
    postgres: Container, environment: EnvironmentHandle, tmp_path: Path, failure: OSError
) -> None:
    postgres.failure = failure
    with pytest.raises(type(failure)) as raised:
        dump.backup(environment, str(tmp_path / "dev.backup"))
    assert raised.value is failure
    assert not (tmp_path / "dev.backup").exists()


def test_a_stream_is_the_same_archive_and_not_for_a_terminal(
    postgres: Container, environment: EnvironmentHandle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (tmp_path / "stream").open("w") as stream:
        monkeypatch.setattr("sys.stdout", stream)
        made = dump.backup(environment, STREAM)
    assert b"".join(CONTENT) in (tmp_path / "stream").read_bytes()
    assert made.bytes == sum(map(len, CONTENT))
    assert postgres.closed
    terminal, other = os.openpty()
    with os.fdopen(terminal, "w"), os.fdopen(other, "w") as shown:
        monkeypatch.setattr("sys.stdout", shown)
        with pytest.raises(UserError, match="not for a terminal"):
            dump.backup(environment, STREAM)


LOCKED = CommandError(1, "pg_dump: error: query failed: ERROR:  canceling statement due to statement timeout")


@pytest.mark.parametrize(
    ("found", "message", "cause"),
    [
        ("42|PID 42, bob, idle in transaction, since 10:00:00: LOCK TABLE a", "a table was locked", "bob"),
        ("", "The database of dev can't be backed up", "statement timeout"),
    ],
    ids=["still held", "released meanwhile"],
)
def test_a_session_that_has_a_table_locked_is_named(
    postgres: Container,
    environment: EnvironmentHandle,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    found: str,
    message: str,
    cause: str,
) -> None:
    monkeypatch.setattr(Database, "query", lambda _self, sql: found if "pg_locks" in sql else "")
    postgres.failure = LOCKED
    with pytest.raises(UserError, match=message) as raised:
        dump.backup(environment, str(tmp_path / "dev.backup"))
    assert cause in raised.value.cause
    assert ("pg_terminate_backend(42)" in raised.value.remedy) is bool(found)
    assert "--lock-wait-timeout=30s" in postgres.commands[0]
