from __future__ import annotations

import pytest

from cli.core.errors import UserError
from cli.data.backups import swapping
from cli.data.database import Database
from tests.unit.cli.data.backups.server import Server

LONGEST = "d" * 63
NAMES = ["dashtam", LONGEST]


@pytest.mark.parametrize("name", NAMES)
def test_the_new_database_takes_the_place_of_the_old_which_stays(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    server = Server({name: "old", "postgres": ""})
    database = server.connect(monkeypatch, name)
    with swapping.beside(database) as fresh:
        assert server.databases == {name: "old", "postgres": "", fresh.name: ""}
        assert swapping.left(database) == {fresh.name}
        server.databases[fresh.name] = "new"
        swapping.swap(database)
    assert server.databases == {name: "new", "postgres": "", swapping.replaced(database): "old"}
    swapping.drop(database, swapping.replaced(database))
    assert server.databases == {name: "new", "postgres": ""}
    assert swapping.left(database) == set()


@pytest.mark.parametrize("name", NAMES)
def test_the_old_database_comes_back(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    server = Server({name: "old"})
    database = server.connect(monkeypatch, name)
    with swapping.beside(database) as fresh:
        server.databases[fresh.name] = "new"
        swapping.swap(database)
        swapping.swap_back(database)
        assert server.databases == {name: "old", fresh.name: "new"}
    assert server.databases == {name: "old"}


def test_what_an_interrupted_restore_left_is_removed_first(monkeypatch: pytest.MonkeyPatch) -> None:
    server = Server({"dashtam": "old", "dashtam_restoring": "somebody's own"})
    database = server.connect(monkeypatch)
    server.databases[swapping.restoring(database)] = "half"
    with swapping.beside(database) as fresh:
        assert server.databases == {"dashtam": "old", "dashtam_restoring": "somebody's own", fresh.name: ""}


@pytest.mark.parametrize("name", NAMES)
def test_a_failure_leaves_the_old_database_alone(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    server = Server({name: "old"})
    with pytest.raises(KeyboardInterrupt), swapping.beside(server.connect(monkeypatch, name)):
        raise KeyboardInterrupt
    assert server.databases == {name: "old"}


def test_a_server_that_stops_meanwhile_doesn_t_hide_the_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    server = Server({"dashtam": "old"})
    database = server.connect(monkeypatch)

    def fail_without_the_server() -> None:
        server.broken = True
        raise ValueError("the first failure")

    with pytest.raises(ValueError, match="the first failure"), swapping.beside(database):
        fail_without_the_server()
    assert server.databases == {"dashtam": "old", swapping.restoring(database): ""}


def test_a_full_disk_is_reported_with_its_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    server = Server({"dashtam": "old"}, full=True)
    with (
        pytest.raises(UserError, match="No database can be made beside dashtam; nothing was changed") as raised,
        swapping.beside(server.connect(monkeypatch)),
    ):
        pytest.fail("there is no database")
    assert "No space left on device" in raised.value.cause
    assert raised.value.remedy.startswith("Free some disk space")
    assert server.databases == {"dashtam": "old"}


def _both(monkeypatch: pytest.MonkeyPatch, connected: int) -> tuple[Server, Database]:
    server = Server({"dashtam": "old"}, connected=connected)
    database = server.connect(monkeypatch)
    server.databases[swapping.restoring(database)] = "new"
    return server, database


def test_who_connects_just_then_is_cut_off_again(monkeypatch: pytest.MonkeyPatch) -> None:
    server, database = _both(monkeypatch, swapping.SWAP_TRIES - 1)
    swapping.swap(database)
    assert server.databases == {"dashtam": "new", swapping.replaced(database): "old"}


def test_who_connects_again_and_again_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    server, database = _both(monkeypatch, 1000)
    with pytest.raises(UserError, match="dashtam can't be renamed; nothing was changed") as raised:
        swapping.swap(database)
    assert "is being accessed by other users" in raised.value.cause
    assert raised.value.remedy
    assert server.visits == swapping.SWAP_TRIES
    assert server.databases == {"dashtam": "old", swapping.restoring(database): "new"}
