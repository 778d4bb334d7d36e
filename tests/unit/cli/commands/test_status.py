from __future__ import annotations

import pytest
from typer.testing import CliRunner

from cli.core.errors import UsageError
from cli.main import app


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["test", "--all"], "ENVIRONMENT and --all exclude each other."),
        (["--watch", "--json"], "--watch and --json exclude each other."),
    ],
)
def test_options_that_exclude_each_other(options: list[str], message: str) -> None:
    with pytest.raises(UsageError, match=message) as raised:
        CliRunner().invoke(app, ["status", *options], catch_exceptions=False)
    assert raised.value.remedy
