from __future__ import annotations

import io
import stat
import tarfile
from typing import TYPE_CHECKING, cast

import pytest

from cli.engine import streams
from cli.environments.clone import Clone
from cli.operations import app_files
from infra.naming import Naming
from infra.outputs import StackOutputs
from tests.unit.infra.test_outputs import DOCUMENT

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from docker import DockerClient

ENGINE = cast("DockerClient", None)
VARIABLES = {"SECRET_KEY_FILE": "/run/secrets/secret-key", "DATABASE_HOST": "127.0.0.1"}
PROVIDERS = '[{"issuer": "https://localhost:8283", "discovery_url": "https://sandbox:8282/.well-known"}]'


@pytest.fixture
def archived(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """Have an installer's volume; return what is read of which container."""
    read: list[tuple[str, str]] = []

    def archive(_client: object, container: str, path: str) -> Generator[bytes, None, None]:
        read.append((container, path))
        target = io.BytesIO()
        with tarfile.open(fileobj=target, mode="w") as files:
            for name, text in (("secrets/secret-key", "k"), ("secrets/../../providers.json", PROVIDERS)):
                one = tarfile.TarInfo(name)
                one.size = len(text)
                files.addfile(one, io.BytesIO(text.encode()))
        yield target.getvalue()

    monkeypatch.setattr(streams, "archive", archive)
    return read


def install(folder: Path, variables: dict[str, str] | None) -> dict[str, str]:
    outputs = StackOutputs.model_validate({**DOCUMENT, "app_environment": variables})
    return app_files.install(ENGINE, Clone("me", folder, folder / "home"), Naming("test", "me", "test-me"), outputs)


def test_the_app_finds_its_files_and_no_one_else_reads_them(tmp_path: Path, archived: list[tuple[str, str]]) -> None:
    found = install(tmp_path, VARIABLES)
    folder = tmp_path / "home/app/test"
    assert found == {"SECRET_KEY_FILE": str(folder / "secret-key"), "DATABASE_HOST": "127.0.0.1"}
    assert archived == [("dashtam-test-me-app-files", "/run/secrets")]
    assert (folder / "secret-key").read_text() == "k"
    assert {stat.S_IMODE(one.stat().st_mode) for one in folder.iterdir()} == {0o600}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_the_sandbox_is_where_this_computer_reaches_it(tmp_path: Path, archived: list[tuple[str, str]]) -> None:
    install(tmp_path, VARIABLES)
    assert archived
    assert "sandbox:8282" not in (tmp_path / "home/app/test/providers.json").read_text()
    assert "https://localhost:8283/.well-known" in (tmp_path / "home/app/test/providers.json").read_text()


def test_nothing_is_written_while_the_app_runs(tmp_path: Path, archived: list[tuple[str, str]]) -> None:
    assert install(tmp_path, None) == {}
    assert (archived, list(tmp_path.iterdir())) == ([], [])
