from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from cli.core.errors import UserError
from cli.core.paths import cache_home, data_home


@pytest.mark.parametrize(("variable", "home"), [("DASHTAM_DATA_HOME", data_home), ("DASHTAM_CACHE_HOME", cache_home)])
@pytest.mark.parametrize(
    ("folder", "written_out"), [("kept/here", "/kept/here"), ("~/kept", "/somebody/kept"), (".", "")]
)
def test_a_folder_that_depends_on_where_a_command_runs_is_refused(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    variable: str,
    home: Callable[[], Path],
    folder: str,
    written_out: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "somebody"))
    monkeypatch.setenv(variable, folder)
    with pytest.raises(UserError, match="is not an absolute path") as raised:
        home()
    assert raised.value.remedy == f"Write it in full: {variable}={tmp_path}{written_out}"
    monkeypatch.setenv(variable, str(tmp_path))
    assert home() == tmp_path
