from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from unittest.mock import Mock

import pytest

from cli.backups import swapping
from cli.database import Database
from cli.errors import UserError
from cli.streams import CommandError

if TYPE_CHECKING:
    from collections.abc import Callable

CREATE = re.compile(r'^CREATE DATABASE "([^"]+)" TEMPLATE template0$')
DROP = re.compile(r'^DROP DATABASE IF EXISTS "([^"]+)" WITH \(FORCE\);$', re.MULTILINE)
RENAME = re.compile(r'ALTER DATABASE "([^"]+)" RENAME TO "([^"]+)";')
LEAVES = re.compile(r"^\\set name (\S+)$.*pg_terminate_backend", re.MULTILINE | re.DOTALL)


@dataclass
class Server:
    """A PostgreSQL that has databases by name and does with a whole script either all or nothing."""

    databases: dict[str, str]
    connected: int = 0
    full: bool = False
    broken: bool = False
    visits: int = field(default=0, init=False)

    def query(self, sql: str, *, database: str | None = None, atomic: bool = True) -> str:
        assert database == swapping.MAINTENANCE, "a database can't be renamed by who is connected to it"
        if self.broken:
            raise CommandError(2, "server closed the connection unexpectedly")
        if made := CREATE.match(sql):
            assert not atomic
            if self.full:
                raise CommandError(1, "ERROR:  No space left on device")
            assert made[1] not in self.databases
            self.databases[made[1]] = ""
        for name in DROP.findall(sql):
            assert not atomic
            self.databases.pop(name, None)
        if renames := RENAME.findall(sql):
            assert atomic
            left = LEAVES.search(sql)
            assert left
            assert left[1] == renames[0][0]
            self.visits += 1
            if self.connected:
                self.connected -= 1
                raise CommandError(1, f'ERROR:  database "{renames[0][0]}" is being accessed by other users')
            for old, new in renames:
                assert new not in self.databases
                self.databases[new] = self.databases.pop(old)
        return ""


@pytest.fixture
def connect(monkeypatch: pytest.MonkeyPatch) -> Callable[[Server], Database]:
    def connected(server: Server) -> Database:
        def query(_self: Database, sql: str, *, database: str | None = None, atomic: bool = True) -> str:
            return server.query(sql, database=database, atomic=atomic)

        monkeypatch.setattr(Database, "query", query)
        return Database(Mock(), "id", "dashtam")

    return connected


def test_the_new_database_takes_the_place_of_the_old(connect: Callable[[Server], Database]) -> None:
    server = Server({"dashtam": "old", "postgres": ""})
    database = connect(server)
    with swapping.beside(database) as fresh:
        assert server.databases == {"dashtam": "old", "postgres": "", fresh.name: ""}
        server.databases[fresh.name] = "new"
        swapping.swap(database, fresh)
    assert server.databases == {"dashtam": "new", "postgres": ""}


def test_what_an_interrupted_restore_left_is_removed_first(connect: Callable[[Server], Database]) -> None:
    server = Server({"dashtam": "old", "dashtam_restoring": "half", "dashtam_replaced": "older"})
    with swapping.beside(connect(server)) as fresh:
        assert server.databases == {"dashtam": "old", fresh.name: ""}


def test_a_failure_leaves_the_old_database_alone(connect: Callable[[Server], Database]) -> None:
    server = Server({"dashtam": "old"})
    with pytest.raises(KeyboardInterrupt), swapping.beside(connect(server)):
        raise KeyboardInterrupt
    assert server.databases == {"dashtam": "old"}


def test_a_server_that_stops_meanwhile_doesn_t_hide_the_failure(connect: Callable[[Server], Database]) -> None:
    server = Server({"dashtam": "old"})
    database = connect(server)

    def fail_without_the_server() -> None:
        server.broken = True
        raise ValueError("the first failure")

    with pytest.raises(ValueError, match="the first failure"), swapping.beside(database):
        fail_without_the_server()
    assert server.databases == {"dashtam": "old", "dashtam_restoring": ""}


def test_a_full_disk_is_reported_with_its_remedy(connect: Callable[[Server], Database]) -> None:
    server = Server({"dashtam": "old"}, full=True)
    with (
        pytest.raises(UserError, match="No database can be made beside dashtam; nothing was changed") as raised,
        swapping.beside(connect(server)),
    ):
        pytest.fail("there is no database")
    assert "No space left on device" in raised.value.cause
    assert raised.value.remedy.startswith("Free some disk space")
    assert server.databases == {"dashtam": "old"}


def test_who_connects_just_then_is_cut_off_again(connect: Callable[[Server], Database]) -> None:
    server = Server({"dashtam": "old", "dashtam_restoring": "new"}, connected=swapping.SWAP_TRIES - 1)
    database = connect(server)
    swapping.swap(database, Database(Mock(), "id", "dashtam_restoring"))
    assert server.databases == {"dashtam": "new", "dashtam_replaced": "old"}


def test_who_connects_again_and_again_is_an_error(connect: Callable[[Server], Database]) -> None:
    server = Server({"dashtam": "old", "dashtam_restoring": "new"}, connected=1000)
    database = connect(server)
    with pytest.raises(UserError, match="can't be replaced; nothing was changed") as raised:
        swapping.swap(database, Database(Mock(), "id", "dashtam_restoring"))
    assert "is being accessed by other users" in raised.value.cause
    assert raised.value.remedy
    assert server.visits == swapping.SWAP_TRIES
    assert server.databases == {"dashtam": "old", "dashtam_restoring": "new"}
