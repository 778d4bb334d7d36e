from __future__ import annotations

import os
from pathlib import Path

import pytest

from cli.pulumi import backend
from cli.pulumi.backend import Folder

HOME = Path("/home/somebody")


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An account whose home is not what HOME says, and without a login."""
    monkeypatch.setenv("HOME", "/elsewhere")
    monkeypatch.setattr(backend, "account_home", lambda: HOME)
    monkeypatch.setenv("PULUMI_CREDENTIALS_PATH", str(tmp_path))


# Each was tried with Pulumi 3.259: `pulumi stack init`, and where its state came to be.
@pytest.mark.parametrize(
    ("url", "folder"),
    [
        ("file:///srv/state", "/srv/state"),
        ("file:///srv/state/", "/srv/state"),
        ("file:///srv/a/../b/./c", "/srv/b/c"),
        ("file:///srv/a%20b", "/srv/a b"),
        ("file:///srv/a%23b", "/srv/a#b"),
        ("file:///srv/a?no_tmp_dir=true", "/srv/a"),
        ("file:///srv/a%20b?metadata=skip&no_tmp_dir=false", "/srv/a b"),
        ("file://~", "/home/somebody"),
        ("file://~/", "/home/somebody"),
        ("file://~/state", "/home/somebody/state"),
        ("file://~?no_tmp_dir=true", "/home/somebody"),
        ("file://.", "/root"),
        ("file://./state", "/root/state"),
        ("file://../state", "/state"),
        ("file://state", "/root/state"),
        ("file://localhost/state", "/root/localhost/state"),
    ],
)
def test_a_folder_is_where_pulumi_has_it(url: str, folder: str) -> None:
    assert backend.folder({"PULUMI_BACKEND_URL": url}, Path("/root")) == Folder(Path(folder) / ".pulumi")


@pytest.mark.parametrize("url", ["https://api.pulumi.com", "s3://bucket", "azblob://a", "postgres://u@h/db", ""])
def test_any_other_is_no_folder(url: str, tmp_path: Path) -> None:
    environ = {"PULUMI_BACKEND_URL": url, "PULUMI_CREDENTIALS_PATH": str(tmp_path)}
    assert backend.folder(environ, tmp_path) is None


PROJECT = "name: dashtam\nbackend:\n  url: file:///of/the/project\n"
LOGIN = '{"current": "file://~"}'


@pytest.mark.parametrize(
    ("variable", "project", "login", "chosen"),
    [
        ("s3://mine", PROJECT, LOGIN, "s3://mine"),
        ("", PROJECT, LOGIN, "file:///of/the/project"),
        ("", "name: dashtam\n", LOGIN, "file://~"),
        ("", "name: dashtam\nbackend: {}\n", LOGIN, "file://~"),
        ("", "name: dashtam\nbackend: {url: }\n", LOGIN, "file://~"),
        ("", "backend: [no: mapping", LOGIN, "file://~"),
        ("", "", "{}", ""),
        ("", "", '{"current": ""}', ""),
        ("", "", "no json", ""),
        ("", "", "", ""),
    ],
)
def test_the_order_is_pulumis(tmp_path: Path, variable: str, project: str, login: str, chosen: str) -> None:
    (tmp_path / "Pulumi.yaml").write_text(project)
    (tmp_path / "credentials.json").write_text(login)
    environ = {"PULUMI_BACKEND_URL": variable, "PULUMI_CREDENTIALS_PATH": str(tmp_path)}
    assert backend.chosen(environ, tmp_path) == chosen


def test_nothing_chosen_is_nothing(tmp_path: Path) -> None:
    assert backend.chosen({"PULUMI_HOME": str(tmp_path)}, tmp_path) == ""


@pytest.mark.parametrize("first", ["PULUMI_CREDENTIALS_PATH", "PULUMI_HOME", ""])
def test_the_login_is_where_pulumi_keeps_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, first: str) -> None:
    monkeypatch.setattr(backend, "account_home", lambda: tmp_path / "account")
    places = {"PULUMI_CREDENTIALS_PATH": "credentials", "PULUMI_HOME": "home", "": "account/.pulumi"}
    for name, place in places.items():
        (tmp_path / place).mkdir(parents=True)
        (tmp_path / place / "credentials.json").write_text(f'{{"current": "of {name}"}}')
    names = list(places)[list(places).index(first) :]
    environ = {name: str(tmp_path / places[name]) for name in names if name}
    assert backend.chosen(environ, tmp_path) == f"of {first}"


@pytest.mark.parametrize(
    ("environ", "chosen"),
    [
        ({}, False),
        ({"PULUMI_CONFIG_PASSPHRASE": "x"}, True),
        ({"PULUMI_CONFIG_PASSPHRASE": ""}, True),
        ({"PULUMI_CONFIG_PASSPHRASE_FILE": "/x"}, True),
        ({"PULUMI_CONFIG_PASSPHRASE_FILE": ""}, False),
    ],
)
def test_an_empty_passphrase_is_one_and_an_empty_path_is_none(environ: dict[str, str], chosen: bool) -> None:
    assert backend.has_passphrase(environ) is chosen


def _touch(folder: Path, *names: str) -> None:
    for second, name in enumerate(names):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
        os.utime(folder / name, (second, second))


@pytest.mark.parametrize(
    ("files", "state"),
    [
        ([], "stacks/dashtam/dev.json"),
        (["stacks/dashtam/dev.json"], "stacks/dashtam/dev.json"),
        (["stacks/dashtam/dev.json.gz"], "stacks/dashtam/dev.json.gz"),
        (["stacks/dashtam/dev.json", "stacks/dashtam/dev.json.gz"], "stacks/dashtam/dev.json.gz"),
        (["stacks/dashtam/dev.json.zst", "stacks/dashtam/dev.json"], "stacks/dashtam/dev.json"),
        (["stacks/dev.json"], "stacks/dev.json"),
        (["stacks/dev.json.gz", "stacks/dashtam/dev.json"], "stacks/dev.json.gz"),
        (["stacks/dashtam/dev.json", "stacks/dashtam/dev.json.bak"], "stacks/dashtam/dev.json"),
    ],
)
def test_the_state_is_the_file_that_pulumi_reads(tmp_path: Path, files: list[str], state: str) -> None:
    _touch(tmp_path, *files)
    assert Folder(tmp_path).state("dev") == tmp_path / state


@pytest.mark.parametrize(("version", "state"), [(0, "stacks/dev.json"), (1, "stacks/dashtam/dev.json")])
def test_a_backend_that_says_its_layout_is_believed(tmp_path: Path, version: int, state: str) -> None:
    _touch(tmp_path, "stacks/dev.json", "stacks/dashtam/dev.json")
    (tmp_path / "meta.yaml").write_text(f"version: {version}\n")
    assert Folder(tmp_path).state("dev") == tmp_path / state


def test_locks_are_those_of_its_layout(tmp_path: Path) -> None:
    _touch(tmp_path, "locks/organization/dashtam/dev/a.json", "locks/dev/b.json", "locks/dev/c.json.attrs")
    assert [one.name for one in Folder(tmp_path).locks("dev")] == ["a.json"]
    _touch(tmp_path, "stacks/dev.json")
    assert [one.name for one in Folder(tmp_path).locks("dev")] == ["b.json"]


@pytest.mark.parametrize(
    ("file", "has_any"),
    [
        ("stacks/dashtam/dev.json", True),
        ("stacks/dashtam/dev.json.gz", True),
        ("stacks/dev.json", True),
        ("stacks/dashtam/dev.json.bak", False),
        ("meta.yaml", False),
    ],
)
def test_any_state_is_found(tmp_path: Path, file: str, has_any: bool) -> None:
    _touch(tmp_path, file)
    assert Folder(tmp_path).has_any_state is has_any
