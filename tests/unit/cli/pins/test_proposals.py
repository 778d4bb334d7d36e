from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cli.pins import images, npm, python, registry, shown
from cli.pins.proposal import Change, Edit, NoAnswerError, Proposal, changed, gist
from tests.unit.cli.conftest import git

if TYPE_CHECKING:
    from collections.abc import Callable

PINNED = ("postgres:16.1-alpine3.20", "redis:7.0.1-alpine3.20")
TAGS = {"postgres": ["16.1-alpine3.20", "16.2-alpine3.20"], "redis": ["7.0.1-alpine3.20"]}
UV_LOCK = """version = 1
[[package]]
name = "idna"
version = "{idna}"
[[package]]
name = "own"
source = {{ editable = "." }}
"""
NPM_LOCK = {
    "packages": {"": {}, "node_modules/a": {"version": "1.0.0"}, "node_modules/a/node_modules/b": {"version": "2.0.0"}}
}


@pytest.fixture
def answering(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "tags", lambda image: TAGS[image])
    monkeypatch.setattr(registry, "digest", lambda image, tag: f"sha256:{image}-{tag}")


@pytest.fixture
def on_path(program: Callable[[str, str], Path], monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], None]:
    """Puts a program first on PATH."""

    def put(name: str, script: str) -> None:
        monkeypatch.setenv("PATH", f"{program(name, script)}:/usr/bin:/bin")

    return put


@pytest.mark.usefixtures("answering")
def test_a_newer_tag_is_proposed_wherever_the_image_is_named(repository: Path) -> None:
    (repository / "catalogue.py").write_text(f"A = '{PINNED[0]}'\nB = '{PINNED[1]}'\n")
    (repository / "README.md").write_text(f"It runs {PINNED[0]}.\n")
    (repository / "untracked").write_text(PINNED[0])
    git(repository, "add", "catalogue.py", "README.md")
    found = images.propose(repository, PINNED)
    assert found.changes == (Change("postgres", "16.1-alpine3.20", "16.2-alpine3.20"),)
    assert {edit.path: edit.new for edit in found.edits} == {
        "catalogue.py": f"A = 'postgres:16.2-alpine3.20'\nB = '{PINNED[1]}'\n",
        "README.md": "It runs postgres:16.2-alpine3.20.\n",
    }


@pytest.mark.usefixtures("answering")
def test_recorded_digests_are_those_of_what_it_ends_with(repository: Path) -> None:
    (repository / "images").mkdir()
    lock = repository / "images/lock.json"
    lock.write_text(json.dumps({PINNED[0]: "sha256:old", PINNED[1]: "sha256:rebuilt"}))
    (repository / "catalogue.py").write_text(PINNED[0])
    git(repository, "add", ".")
    found = images.propose(repository, PINNED)
    edit = next(edit for edit in found.edits if edit.path == "images/lock.json")
    assert json.loads(edit.new) == {
        "postgres:16.2-alpine3.20": "sha256:postgres-16.2-alpine3.20",
        PINNED[1]: f"sha256:redis-{PINNED[1].partition(':')[2]}",
    }
    assert Change(f"{PINNED[1]}@", "sha256:rebuilt", "sha256:redis-7.0.1-alpine3.20") in found.changes
    assert [edit.path for edit in found.edits].count("images/lock.json") == 1


@pytest.mark.usefixtures("answering")
def test_nothing_newer_is_no_change(repository: Path) -> None:
    assert images.propose(repository, PINNED[1:]) == Proposal(images.SOURCE)


@pytest.mark.usefixtures("answering")
def test_what_is_no_git_repository_is_told(tmp_path: Path) -> None:
    with pytest.raises(NoAnswerError, match="git can't tell"):
        images.propose(tmp_path, PINNED)


@pytest.fixture
def python_project(tmp_path: Path) -> Path:
    (tmp_path / "pyproject.toml").write_text("[project]\n")
    (tmp_path / "uv.lock").write_text(UV_LOCK.format(idna="3.4"))
    return tmp_path


def test_what_uv_would_lock_is_proposed(python_project: Path, on_path: Callable[[str, str], None]) -> None:
    on_path("uv", f"for folder; do :; done\ncat > $folder/uv.lock <<'E'\n{UV_LOCK.format(idna='3.10')}E")
    found = python.propose(python_project)
    assert found.changes == (Change("idna", "3.4", "3.10"),)
    (edit,) = found.edits
    assert (edit.path, edit.gist) == ("uv.lock", ("idna 3.4\n", "idna 3.10\n"))
    assert (python_project / "uv.lock").read_text() == edit.old == UV_LOCK.format(idna="3.4")


def test_a_lock_that_only_reads_differently_is_no_change(
    python_project: Path, on_path: Callable[[str, str], None]
) -> None:
    on_path("uv", "for folder; do :; done\necho '# a comment' >> $folder/uv.lock")
    assert python.propose(python_project) == Proposal(python.SOURCE)


def test_an_index_that_does_not_answer_is_told(python_project: Path, on_path: Callable[[str, str], None]) -> None:
    on_path("uv", "echo 'no route to the index' >&2; exit 2")
    with pytest.raises(NoAnswerError, match="ended with status 2: no route to the index"):
        python.propose(python_project)


def test_without_uv_nothing_is_known(python_project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DASHTAM_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NoAnswerError, match="uv is neither"):
        python.propose(python_project)


@pytest.fixture
def npm_project(tmp_path: Path) -> Path:
    folder = tmp_path / "sandbox"
    folder.mkdir()
    (folder / "package.json").write_text('{"dependencies": {"a": "1.0.0"}}\n')
    (folder / "package-lock.json").write_text(json.dumps(NPM_LOCK))
    (folder / ".npmrc").write_text("")
    return tmp_path


def test_what_npm_would_lock_is_proposed(npm_project: Path, on_path: Callable[[str, str], None]) -> None:
    on_path(
        "npm",
        'case "$*" in "install --save-exact a@^1.0.0 "*) sed -i s/1.0.0/1.2.0/ package.json package-lock.json ;;\n'
        "update*) sed -i s/2.0.0/2.1.0/ package-lock.json ;; *) exit 9 ;; esac",
    )
    found = npm.propose(npm_project)
    assert found.changes == (Change("a", "1.0.0", "1.2.0"), Change("b < a", "2.0.0", "2.1.0"))
    assert [edit.path for edit in found.edits] == ["sandbox/package.json", "sandbox/package-lock.json"]


def test_nothing_newer_of_npm_is_no_change(npm_project: Path, on_path: Callable[[str, str], None]) -> None:
    on_path("npm", "exit 0")
    assert npm.propose(npm_project) == Proposal(npm.SOURCE)


def test_a_package_registry_that_does_not_answer_is_told(
    npm_project: Path, on_path: Callable[[str, str], None]
) -> None:
    on_path("npm", "echo ENOTFOUND; exit 1")
    with pytest.raises(NoAnswerError, match="`npm install` ended with status 1: ENOTFOUND"):
        npm.propose(npm_project)


def test_without_npm_nothing_is_known(npm_project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(npm_project))
    with pytest.raises(NoAnswerError, match="npm is not on PATH"):
        npm.propose(npm_project)


def test_versions_are_compared_by_name() -> None:
    changes = changed({"a": "1", "b": "1", "gone": "1"}, {"a": "1", "b": "2", "new": "1"})
    assert changes == (Change("b", "1", "2"), Change("gone", "1", ""), Change("new", "", "1"))
    assert gist(changes) == ("b 1\ngone 1\n", "b 2\nnew 1\n")


def test_a_diff_is_of_the_text_or_of_its_gist() -> None:
    plain = [line.plain for line in shown.diff(Edit("a", "1\n2\n", "1\n3\n"))]
    assert plain == ["--- a/a", "+++ b/a", "@@ -1,2 +1,2 @@", " 1", "-2", "+3"]
    short = [line.plain for line in shown.diff(Edit("lock", "long", "longer", ("x 1\n", "x 2\n")))]
    assert short == ["--- a/lock", "+++ b/lock", "@@ -1 +1 @@", "-x 1", "+x 2"]
