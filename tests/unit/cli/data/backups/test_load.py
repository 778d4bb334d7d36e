from __future__ import annotations

import io
from typing import TYPE_CHECKING
from unittest.mock import Mock

import pytest

from cli.core.errors import UserError
from cli.data.backups import load
from cli.data.backups.formats import Dump
from cli.data.backups.source import Source
from cli.data.database import Database
from cli.engine import streams
from cli.engine.streams import CommandError

if TYPE_CHECKING:
    from collections.abc import Callable

DATABASE = Database(Mock(), "postgres", "fresh", "dev")


@pytest.fixture
def refuse(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Have a server whose programs refuse what they are fed, with these words."""

    def with_words(words: str) -> None:
        def feed(*_: object, **__: object) -> str:
            raise CommandError(1, words)

        monkeypatch.setattr(streams, "feed", feed)

    return with_words


def dump(*, is_sql: bool) -> Dump:
    content = b"SELECT 1;" if is_sql else b"PGDMP"
    return Dump(Source("theirs", io.BytesIO(content)), len(content), is_sql=is_sql)


@pytest.mark.parametrize(
    ("words", "message", "remedy"),
    [
        ("pg_restore: error: unsupported version (1.17) in file header", "of a newer `pg_dump`", "plain SQL"),
        ("pg_restore: error: could not read from input file: end of file", "is damaged", "Use another one."),
    ],
)
def test_an_archive_that_can_not_be_read_is_told(
    refuse: Callable[[str], None], words: str, message: str, remedy: str
) -> None:
    refuse(words)
    with pytest.raises(UserError, match="nothing was changed") as raised:
        load.verify(dump(is_sql=False), DATABASE)
    assert message in raised.value.message
    assert raised.value.cause == words
    assert remedy in raised.value.remedy


@pytest.mark.parametrize(
    ("words", "remedy"),
    [
        (
            'ERROR:  extension "pg_graphql" is not available\nDETAIL:  Could not open extension control file',
            "an image that has the extension pg_graphql in `dashtam:images.postgres`",
        ),
        ('ERROR:  role "authenticated" does not exist', "-c 'CREATE ROLE \"authenticated\"'"),
        ("pg_restore: error: could not read from input file: end of file", "cut short"),
        ('ERROR:  table "t" does not exist\nSTATEMENT:  DROP TABLE t', "--if-exists"),
        ("ERROR:  syntax error", "`./dashtam logs dev postgres`"),
    ],
)
def test_what_can_not_be_loaded_has_its_remedy(refuse: Callable[[str], None], words: str, remedy: str) -> None:
    refuse(words)
    with pytest.raises(UserError, match="theirs can't be loaded; nothing was changed") as raised:
        load.load(dump(is_sql=True), DATABASE)
    assert remedy in raised.value.remedy
