from __future__ import annotations

from collections.abc import Callable

import pytest

from app.core.revision import head_revision
from cli.core.errors import UserError
from cli.data import revisions


def _database(revision: str | None) -> Callable[[str], str]:
    def query(sql: str) -> str:
        if "to_regclass" in sql:
            return "f" if revision is None else "t"
        assert revision is not None
        return revision

    return query


@pytest.mark.parametrize("revision", [None, "", "0001", head_revision()])
def test_what_can_be_served_is_fine(revision: str | None) -> None:
    revisions.require_known(_database(revision), "dev.backup")


def test_what_is_newer_is_refused() -> None:
    with pytest.raises(UserError, match="is of a newer version") as raised:
        revisions.require_known(_database("9999"), "dev.backup")
    assert "9999" in raised.value.cause
