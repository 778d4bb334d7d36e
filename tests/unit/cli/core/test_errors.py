from __future__ import annotations

import pytest

from cli.core.errors import did_you_mean


@pytest.mark.parametrize(
    ("word", "said"),
    [("dve", "Did you mean 'dev'? "), ("pstgres", "Did you mean 'postgres'? "), ("production", ""), ("", "")],
)
def test_the_nearest_name_is_asked_for(word: str, said: str) -> None:
    assert did_you_mean(word, ["ci", "dev", "test", "postgres"]) == said
