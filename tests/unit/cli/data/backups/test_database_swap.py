from __future__ import annotations

import pytest

from cli.core.errors import UserError
from cli.data.backups import database_swap
from cli.data.database import Database
from tests.unit.cli.data.backups.server import Server

LONGEST = "d" * 63
NAMES = ["dashtam", LONGEST]


@pytest.mark.parametrize("name", NAMES)
def test_the_new_database_takes_the_place_of_the_old_which_stays(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    server = Server({name: "old", "postgres": ""})
    database = server.connect(monkeypatch, name)
    with database_swap.beside(database) as fresh:
        assert server.databases == {name: "old", "postgres": "", fresh.name: ""}
        assert database_swap.left(database) == {fresh.name}
        server.databases[fresh.name] = "new"
        database_swap.swap(database)
    assert server.databases == {name: "new", "postgres": "", database_swap.replaced(database): "old"}
    database_swap.drop(database, database_swap.replaced(database))
    assert server.databases == {name: "new", "postgres": ""}
    assert database_swap.left(database) == set()


@pytest.mark.parametrize("name", NAMES)
def test_the_old_database_comes_back(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    server = Server({name: "old"})
    database = server.connect(monkeypatch, name)
    with database_swap.beside(database) as fresh:
        server.databases[fresh.name] = "new"
        database_swap.swap(database)
        database_swap.swap_back(database)
        assert server.databases == {name: "old", fresh.name: "new"}
    assert server.databases == {name: "old"}


def test_what_an_interrupted_restore_left_is_removed_first(monkeypatch: pytest.MonkeyPatch) -> None:
    server = Server({"dashtam": "old", "dashtam_restoring": "somebody's own"})
    database = server.connect(monkeypatch)
    server.databases[database_swap.restoring(database)] = "half"
    with database_swap.beside(database) as fresh:
        assert server.databases == {"dashtam": "old", "dashtam_restoring": "somebody's own", fresh.name: ""}


@pytest.mark.parametrize("name", NAMES)
def test_a_failure_leaves_the_old_database_alone(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    server = Server({name: "old"})
    with pytest.raises(KeyboardInterrupt), database_swap.beside(server.connect(monkeypatch, name)):
        raise KeyboardInterrupt
    assert server.databases == {name: "old"}


def test_a_server_that_stops_meanwhile_doesn_t_hide_the_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    server = Server({"dashtam": "old"})
    database = server.connect(monkeypatch)

    def fail_without_the_server() -> None:
        server.broken = True
        raise ValueError("the first failure")

    with pytest.raises(ValueError, match="the first failure"), database_swap.beside(database):
        fail_without_the_server()
    assert server.databases == {"dashtam": "old", database_swap.restoring(database): ""}


def test_a_full_disk_is_reported_with_its_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    server = Server({"dashtam": "old"}, full=True)
    with (
        pytest.raises(UserError, match="No database can be made beside dashtam; nothing was changed") as raised,
        database_swap.beside(server.connect(monkeypatch)),
    ):
        pytest.fail("there is no database")
    assert "No space left on device" in raised.value.cause
    assert raised.value.remedy.startswith("Free some disk space")
    assert server.databases == {"dashtam": "old"}


def test_a_failure_names_the_environment_whose_logs_show_the_cause(monkeypatch: pytest.MonkeyPatch) -> None:
    server = Server({"dashtam": "old"})
    database = server.connect(monkeypatch)
    server.broken = True
    with pytest.raises(UserError, match="No database can be made") as made, database_swap.beside(database):
        pytest.fail("there is no database")
    with pytest.raises(UserError, match="The settings of the database dashtam can't be copied") as copied:
        database_swap.copy_settings(database)
    assert [one.value.remedy for one in (made, copied)] == ["`./dashtam logs dev postgres` shows the cause."] * 2


def _both(monkeypatch: pytest.MonkeyPatch, connected: int) -> tuple[Server, Database]:
    server = Server({"dashtam": "old"}, connected=connected)
    database = server.connect(monkeypatch)
    server.databases[database_swap.restoring(database)] = "new"
    return server, database


def test_who_connects_just_then_is_cut_off_again(monkeypatch: pytest.MonkeyPatch) -> None:
    server, database = _both(monkeypatch, database_swap.SWAP_TRIES - 1)
    database_swap.swap(database)
    assert server.databases == {"dashtam": "new", database_swap.replaced(database): "old"}


def test_who_connects_again_and_again_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    server, database = _both(monkeypatch, 1000)
    with pytest.raises(UserError, match="dashtam can't be renamed; nothing was changed") as raised:
        database_swap.swap(database)
    assert "is being accessed by other users" in raised.value.cause
    assert raised.value.remedy
    assert server.visits == database_swap.SWAP_TRIES
    assert server.databases == {"dashtam": "old", database_swap.restoring(database): "new"}


def test_an_undoing_that_fails_says_which_database_is_served(monkeypatch: pytest.MonkeyPatch) -> None:
    server, database = _both(monkeypatch, 0)
    database_swap.swap(database)
    server.connected = 1000
    before = database_swap.replaced(database)
    with pytest.raises(UserError, match=f"dashtam is the restored database; the one from before is called {before}"):
        database_swap.swap_back(database)


def test_an_environments_database_may_have_any_name(monkeypatch: pytest.MonkeyPatch) -> None:
    server = Server({"postgres": "old"})
    database = server.connect(monkeypatch, "postgres")
    server.databases[database_swap.restoring(database)] = "new"
    database_swap.swap(database)
    assert server.databases == {"postgres": "new", database_swap.replaced(database): "old"}
