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


@pytest.mark.parametrize("revision", ["9999", head_revision()[:4] + "a1b2c3"])
def test_what_a_newer_version_or_another_branch_has_migrated_is_refused(revision: str) -> None:
    with pytest.raises(UserError, match="is of another version") as raised:
        revisions.require_known(_database(revision), "dev.backup")
    assert f"at revision {revision}, which" in raised.value.cause
