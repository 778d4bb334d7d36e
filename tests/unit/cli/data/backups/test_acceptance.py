"""The old database is dropped only once the service is healthy on the new one; else it is put back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cli.core.errors import UserError
from cli.data import restore_journal
from cli.data.backups import acceptance, database_swap
from cli.data.restore_journal import Entry, Phase
from cli.operations import finish_restore
from tests.unit.cli.data.backups.server import Server, Service, service

if TYPE_CHECKING:
    from pathlib import Path

    from cli.data.database import Database

UP = {"postgres": "running", "redis": "running", "app": "running"}


@pytest.fixture
def server() -> Server:
    return Server({"dashtam": "old", "postgres": ""})


@pytest.fixture
def database(server: Server, monkeypatch: pytest.MonkeyPatch) -> Database:
    return server.connect(monkeypatch)


@pytest.fixture
def there(tmp_path: Path, server: Server) -> Service:
    return service(tmp_path, server, "old", "new")


def _replace(there: Service, database: Database, content: str) -> None:
    there.server.databases[database_swap.restoring(database)] = content
    acceptance.replace(there.environment, there.environment.service("app"), database, "dev.backup")


def test_a_database_with_which_the_service_is_healthy_stays(there: Service, database: Database) -> None:
    _replace(there, database, "new")
    assert there.server.databases == {"dashtam": "new", "postgres": ""}
    assert there.engine.states() == UP


@pytest.mark.parametrize("why", ["template", "subscription"])
def test_a_template_or_one_with_a_subscription_is_dropped_too(there: Service, database: Database, why: str) -> None:
    there.server.held["dashtam"] = why
    _replace(there, database, "new")
    assert there.server.databases == {"dashtam": "new", "postgres": ""}


def test_an_old_one_that_can_not_be_dropped_is_set_aside_and_named(
    there: Service, database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    there.server.held["dashtam"] = "use"
    _replace(there, database, "new")
    [kept] = {*there.server.databases} - {"dashtam", "postgres"}
    assert there.server.databases == {"dashtam": "new", "postgres": "", kept: "old"}
    assert database_swap.left(database) == set()
    said = "".join(capsys.readouterr().err.split())
    assert kept in said
    assert "isinuse" in said


def test_what_is_set_for_the_old_is_set_for_the_new(there: Service, database: Database) -> None:
    there.server.settings["dashtam"] = "work_mem=64MB"
    _replace(there, database, "new")
    assert there.database == "new"
    assert there.server.settings["dashtam"] == "work_mem=64MB"


def test_one_with_prepared_transactions_is_not_replaced(there: Service, database: Database) -> None:
    acceptance.require_renamable(there.environment, database)
    there.server.prepared = "it's\nother"
    with pytest.raises(UserError, match="prepared transactions; nothing was changed") as raised:
        acceptance.require_renamable(there.environment, database)
    assert raised.value.cause == "There are: it's, other."
    assert """./dashtam db-shell dev -- -c "ROLLBACK PREPARED 'it''s'\"""" in raised.value.remedy


def test_the_old_one_comes_back_where_the_service_is_not_healthy(there: Service, database: Database) -> None:
    with pytest.raises(
        UserError, match=r"dev didn't become healthy with dev\.backup; the database from before is back"
    ) as raised:
        _replace(there, database, "wrong")
    assert raised.value.cause == "first\nno such table"
    assert raised.value.remedy == "Restore another backup."
    assert there.database == "old"
    assert database_swap.replaced(database) not in there.server.databases
    assert there.engine.states() == UP


def test_where_that_does_not_help_the_remedy_is_another(there: Service, database: Database) -> None:
    there.serves.clear()
    with pytest.raises(UserError, match=r"neither with dev\.backup nor with the database from before") as raised:
        _replace(there, database, "new")
    assert "`./dashtam up dev`" in raised.value.remedy
    assert there.database == "old"


@pytest.mark.parametrize(
    ("said", "message", "remedy"),
    [
        (b"log\nThe database can't be served: relation exists\n", "The service can't serve the database in", "backup"),
        (
            b"python: No module named app.run.proof\n",
            "The app of dev is of another version",
            "./dashtam up dev",
        ),
    ],
)
def test_one_that_can_not_be_served_is_refused(
    there: Service, database: Database, said: bytes, message: str, remedy: str
) -> None:
    there.engine.programs["python"] = (1, said)
    with pytest.raises(UserError, match=f"{message}.*; nothing was changed") as raised:
        acceptance.check_by_app(there.environment, there.environment.service("app"), database, "dev.backup")
    assert said.decode().splitlines()[-1] in raised.value.cause
    assert remedy in raised.value.remedy
    there.engine.programs["python"] = (0, b"")
    acceptance.check_by_app(there.environment, there.environment.service("app"), database, "dev.backup")


def _interrupted(there: Service, database: Database, content: str) -> bool:
    """Be where a killed command leaves a restore after the swap, and let the next command meet it."""
    there.server.databases[database_swap.restoring(database)] = content
    database_swap.swap(database)
    there.engine.client.api.stop("app", timeout=1)
    noted = restore_journal.of(there.environment.clone, "dev")
    noted.write(Entry(format=2, snapshot="dev.backup", phase=Phase.DATABASE, parts=()))
    assert not finish_restore.finish(there.environment)
    return noted.read() is None


def test_an_interrupted_restore_is_finished_where_the_service_is_healthy(there: Service, database: Database) -> None:
    assert _interrupted(there, database, "new")
    assert there.server.databases == {"dashtam": "new", "postgres": ""}
    assert there.engine.states() == UP


def test_an_interrupted_restore_is_undone_where_it_is_not_and_nothing_is_dropped(
    there: Service, database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _interrupted(there, database, "wrong")
    kept = database_swap.restoring(database)
    assert there.server.databases == {"dashtam": "old", "postgres": "", kept: "wrong"}
    assert kept in "".join(capsys.readouterr().err.split())
    assert there.engine.states() == UP


@pytest.mark.parametrize("absent", [*acceptance.NEEDED, "app"])
def test_without_what_the_service_needs_none_is_judged(there: Service, absent: str) -> None:
    there.engine.client.api.stop(absent, timeout=1)
    with pytest.raises(UserError, match=f"The {absent} of dev is not running"):
        acceptance.running_app(there.environment)


@pytest.mark.parametrize("alone", [*acceptance.NEEDED, "app"])
def test_without_a_network_none_is_judged(there: Service, alone: str) -> None:
    there.engine.containers[alone]["NetworkSettings"]["Networks"] = {}
    with pytest.raises(UserError, match=f"The {alone} of dev can't be reached") as raised:
        acceptance.running_app(there.environment)
    assert "is in no network" in raised.value.cause


@pytest.mark.parametrize("absent", [*acceptance.NEEDED, "app"])
def test_without_a_service_that_can_tell_both_stay(there: Service, database: Database, absent: str) -> None:
    there.engine.forget(absent) if absent == "app" else there.engine.client.api.stop(absent, timeout=1)
    there.server.databases[database_swap.replaced(database)] = "older"
    assert not acceptance.finish_replacing(there.environment)
    assert there.server.databases == {"dashtam": "old", "postgres": "", database_swap.replaced(database): "older"}


def test_what_was_only_loaded_is_dropped(there: Service, database: Database) -> None:
    there.server.databases[database_swap.restoring(database)] = "half"
    assert acceptance.finish_replacing(there.environment)
    assert there.server.databases == {"dashtam": "old", "postgres": ""}
