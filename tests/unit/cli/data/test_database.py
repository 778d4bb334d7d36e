from __future__ import annotations

from unittest.mock import Mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.core.errors import UserError
from cli.data import database
from cli.data.database import Database
from cli.engine import streams
from cli.engine.streams import CommandError


@pytest.mark.parametrize(
    ("name", "written"), [("dashtam", "'dashtam'"), ("it's", r"'it\'s'"), ("a\\b", r"'a\\b'"), ("a b", "'a b'")]
)
def test_a_database_is_named_as_libpq_reads_it(name: str, written: str) -> None:
    assert Database(Mock(), "id", "other", "dev").login(name) == f"{database.LOGIN} dbname={written}"


def test_no_password_is_in_a_command(monkeypatch: pytest.MonkeyPatch) -> None:
    run = Mock(return_value="170006\n")
    monkeypatch.setattr(streams, "run", run)
    assert Database(Mock(), "id", "dashtam", "dev").major() == 17
    assert "password" not in " ".join(run.call_args.args[2]).lower()


ENVIRONMENT = Mock(view=Mock(node_of=lambda one: (Mock(), one)))
ENVIRONMENT.name = "dev"
DROPPED = 'psql: error: FATAL:  database "dash tam" does not exist'


@pytest.mark.parametrize(
    ("output", "remedy"),
    [("FATAL: the database system is starting up", "./dashtam up dev"), (DROPPED, "./dashtam restore dev FILE")],
)
def test_one_that_does_not_answer_is_told(monkeypatch: pytest.MonkeyPatch, output: str, remedy: str) -> None:
    monkeypatch.setattr(streams, "run", Mock(side_effect=CommandError(2, output)))
    with pytest.raises(UserError, match="The database of dev doesn't answer; nothing was changed") as raised:
        database.of(ENVIRONMENT)
    assert raised.value.cause == output
    assert remedy in raised.value.remedy


def test_one_that_was_dropped_is_made_for_a_restore(monkeypatch: pytest.MonkeyPatch) -> None:
    run = Mock(side_effect=[CommandError(2, DROPPED), ""])
    monkeypatch.setattr(streams, "run", run)
    assert database.of(ENVIRONMENT, make=True).name == "dash tam"
    assert run.call_args.args[3] == b'CREATE DATABASE "dash tam" TEMPLATE template0'
    assert database.MAINTENANCE in run.call_args.args[2][-1]


NAMES = st.text(min_size=1).filter(lambda text: len(text.encode()) <= database.LONGEST)


@given(st.lists(NAMES, min_size=1, max_size=3, unique=True))
def test_derived_names_are_never_cut_and_never_meet(names: list[str]) -> None:
    made = [database.derived(name, suffix) for name in names for suffix in ("restoring", "replaced")]
    assert all(len(one.encode()) <= database.LONGEST for one in made)
    assert len({*made, *names}) == len(made) + len(names)
