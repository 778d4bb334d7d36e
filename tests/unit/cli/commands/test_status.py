from __future__ import annotations

import pytest
from typer.testing import CliRunner

from cli.main import app


@pytest.mark.parametrize("options", [["test", "--all"], ["--watch", "--json"]])
def test_options_that_exclude_each_other(options: list[str]) -> None:
    assert CliRunner().invoke(app, ["status", *options]).exit_code == 2
