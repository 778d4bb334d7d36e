from __future__ import annotations

import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest

from cli.core.errors import UserError
from cli.data import sealed_secrets
from cli.data.snapshots import store
from cli.data.snapshots.helper import Part
from cli.environments.clone import Clone
from cli.environments.handle import EnvironmentHandle
from cli.operations import data_parts
from cli.operations import take_snapshot as create
from infra.naming import Naming
from tests.unit.cli.conftest import MakeProgram
from tests.unit.cli.engine_double import Engine


@pytest.mark.parametrize("status", [0, 1])
def test_a_size_is_told_though_a_file_vanished_while_it_was_counted(
    program: MakeProgram, tmp_path: Path, status: int
) -> None:
    folder = program("du", f"echo '4 ./base'; echo '44 .'; echo 'du: ./base/1: No such file' >&2; exit {status}")
    script = ["sh", "-euc", create.SIZE]
    path = {"PATH": f"{folder}:/usr/bin:/bin"}
    done = subprocess.run(script, cwd=tmp_path, env=path, capture_output=True, text=True, check=True)
    assert done.stdout == "44 .\n"


@pytest.mark.parametrize("removed", ["the file", "the volume"])
def test_there_is_no_snapshot_without_the_keys_of_its_tokens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, removed: str
) -> None:
    engine, naming = Engine(tmp_path), Naming("dev", "me")
    clone = Clone("me", tmp_path, tmp_path / "home")
    clone.home.mkdir()
    clone.passphrase_file.write_text("passphrase")
    parts = [Part(one, naming.data_volume(one), "image", "1:1") for one in ("postgres", "redis")]
    engine.images["image"] = "id"
    for volume in (*(one.volume for one in parts), *(naming.files_volume(one) for one in ("postgres", "app"))):
        engine.volumes[volume] = naming.labels("any")
        engine.folder(volume)
    (engine.folder(parts[0].volume) / "PG_VERSION").write_text("17\n")
    (engine.folder(naming.files_volume("app")) / sealed_secrets.TOKEN_KEYS).write_text("keys")
    settings = SimpleNamespace(name="d", user="u")
    monkeypatch.setattr(data_parts, "parts_by_config_or_state", lambda _: (settings, parts))
    environment = EnvironmentHandle("dev", clone, engine.view)

    assert create.take(environment, "whole").name == "whole"
    if removed == "the file":
        (engine.folder(naming.files_volume("app")) / sealed_secrets.TOKEN_KEYS).unlink()
    else:
        del engine.volumes[naming.files_volume("app")]
    with pytest.raises(UserError, match="The secrets of dev are not installed") as raised:
        create.take(environment, "lacking")
    assert raised.value.remedy == "`./dashtam up dev` installs them."
    assert store.of(clone, "dev").names() == ["whole"]
