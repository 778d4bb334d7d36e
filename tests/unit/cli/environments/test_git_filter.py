from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from cli.core.paths import ROOT
from cli.environments import clone, git_filter
from tests.unit.cli.conftest import git

SALT = "encryptionsalt: v1:abc=:v1:def:ghi==\n"
CONFIG = "Pulumi.dev.yaml"


@pytest.fixture
def salted(repository: Path, data_home: Path) -> Path:
    """A repository in whose config Pulumi has written its salt."""
    assert not data_home.exists()
    with (repository / CONFIG).open("a") as config:
        config.write(SALT)
    git_filter.keep_out_of_git(clone.current(repository))
    return repository


def test_the_salt_changes_nothing_for_git(salted: Path) -> None:
    assert SALT in (salted / CONFIG).read_text()
    assert git(salted, "status", "--porcelain") == ""
    assert git(salted, "diff") == ""


def test_an_edit_that_was_taken_back_leaves_nothing_to_git(repository: Path, data_home: Path) -> None:
    assert not data_home.exists()
    config = repository / CONFIG
    before = config.read_text()
    config.write_text(before.replace("{}", "{debug: true}") + SALT)
    git_filter.keep_out_of_git(clone.current(repository))
    config.write_text(before + SALT)
    git_filter.keep_out_of_git(clone.current(repository))
    assert git(repository, "status", "--porcelain") == ""


def test_a_real_edit_shows_without_the_salt(salted: Path) -> None:
    config = salted / CONFIG
    config.write_text(config.read_text().replace("{}", "{debug: true}"))
    git_filter.keep_out_of_git(clone.current(salted))
    assert git(salted, "status", "--porcelain") == f" M {CONFIG}\n"
    assert "encryptionsalt" not in git(salted, "diff")


def test_a_commit_holds_no_salt(salted: Path) -> None:
    config = salted / CONFIG
    config.write_text(config.read_text().replace("{}", "{debug: true}"))
    git(salted, "commit", "--quiet", "--all", "-m", "Edit")
    assert "encryptionsalt" not in git(salted, "show", f"HEAD:{CONFIG}")
    assert SALT in config.read_text()
    assert git(salted, "status", "--porcelain") == ""


def test_a_checkout_puts_the_salt_back(salted: Path) -> None:
    config = salted / CONFIG
    config.unlink()
    git(salted, "checkout", "--", CONFIG)
    assert config.read_text().endswith(SALT)
    assert git(salted, "status", "--porcelain") == ""


def test_a_checkout_of_a_config_without_a_last_newline_keeps_its_last_value(salted: Path) -> None:
    config = salted / CONFIG
    config.write_text("config:\n  a: b")
    git(salted, "commit", "--quiet", "--all", "-m", "Edit")
    config.unlink()
    git(salted, "checkout", "--", CONFIG)
    assert config.read_text() == f"config:\n  a: b\n{SALT}"


def test_a_project_below_the_repositorys_top_has_salts_of_its_own(repository: Path, tmp_path: Path) -> None:
    top = tmp_path / "top"
    for name in ("below", "beside"):
        shutil.copytree(repository, top / name)
    (top / "below/.git").rename(top / ".git")
    shutil.rmtree(top / "beside/.git")
    git(top, "add", "--all")
    git(top, "commit", "--quiet", "-m", "Move")
    configs = {name: top / name / CONFIG for name in ("below", "beside")}
    plain = configs["beside"].read_text()
    configs["below"].write_text(plain + SALT)
    git_filter.keep_out_of_git(clone.current(top / "below"))
    assert git(top, "status", "--porcelain") == ""
    for config in configs.values():
        config.unlink()
    git(top, "checkout", "--", ".")
    assert {name: config.read_text() for name, config in configs.items()} == {"below": plain + SALT, "beside": plain}


def test_a_config_of_ones_own_is_left_untracked(salted: Path) -> None:
    (salted / "Pulumi.mine.yaml").write_text(f"config: {{}}\n{SALT}")
    git_filter.keep_out_of_git(clone.current(salted))
    assert git(salted, "status", "--porcelain") == "?? Pulumi.mine.yaml\n"


def test_the_link_of_a_further_environment_is_passed_over(salted: Path) -> None:
    (salted / "Pulumi.feature-x.yaml").symlink_to(CONFIG)
    (salted / "Pulumi.lost.yaml").symlink_to("Pulumi.gone.yaml")
    git_filter.keep_out_of_git(clone.current(salted))
    assert [path.name for path in (salted / ".git/dashtam-salts").iterdir()] == [CONFIG]


def test_what_is_staged_stays_staged(salted: Path) -> None:
    config = salted / CONFIG
    config.write_text(config.read_text().replace("{}", "{debug: true}"))
    git(salted, "add", CONFIG)
    git_filter.keep_out_of_git(clone.current(salted))
    assert git(salted, "status", "--porcelain") == f"M  {CONFIG}\n"


def test_doing_it_again_changes_nothing(salted: Path) -> None:
    before = git(salted, "config", "--local", "--list")
    git_filter.keep_out_of_git(clone.current(salted))
    assert git(salted, "config", "--local", "--list") == before


def test_a_salt_that_is_forgotten_leaves_no_trace(salted: Path) -> None:
    (salted / "Pulumi.mine.yaml").write_text(f"config: {{}}\n{SALT}")
    git_filter.forget(clone.current(salted))
    for config in (CONFIG, "Pulumi.mine.yaml"):
        assert "encryptionsalt" not in (salted / config).read_text()
    assert git(salted, "status", "--porcelain") == "?? Pulumi.mine.yaml\n"
    (salted / CONFIG).unlink()
    git(salted, "checkout", "--", CONFIG)
    assert "encryptionsalt" not in (salted / CONFIG).read_text()


def test_a_folder_without_git_is_left_alone(tmp_path: Path, data_home: Path) -> None:
    assert not data_home.exists()
    root = tmp_path / "unpacked"
    root.mkdir()
    (root / CONFIG).write_text(SALT)
    git_filter.keep_out_of_git(clone.current(root))
    assert (root / CONFIG).read_text() == SALT


def test_a_worktree_gets_no_salt_of_another(salted: Path, tmp_path: Path) -> None:
    second = tmp_path / "second"
    git(salted, "worktree", "add", "--quiet", "-b", "second", str(second))
    assert "encryptionsalt" not in (second / CONFIG).read_text()
    with (second / CONFIG).open("a") as config:
        config.write("encryptionsalt: v1:its-own==\n")
    git_filter.keep_out_of_git(clone.current(second))
    for root, own in ((salted, SALT), (second, "encryptionsalt: v1:its-own==\n")):
        (root / CONFIG).unlink()
        git(root, "checkout", "--", CONFIG)
        assert (root / CONFIG).read_text().endswith(own)
        assert git(root, "status", "--porcelain") == ""


def test_a_config_in_another_encoding_is_no_obstacle(repository: Path) -> None:
    here = clone.current(repository)
    content = f"config: {{}} # café\n{SALT}".encode("latin-1")
    (repository / "Pulumi.dev.yaml").write_bytes(content)
    (repository / "Pulumi.dev copy.yaml").write_bytes(content)
    git_filter.keep_out_of_git(here)
    git_filter.forget(here)
    assert (repository / "Pulumi.dev.yaml").read_bytes() == "config: {} # café\n".encode("latin-1")
    assert (repository / "Pulumi.dev copy.yaml").read_bytes() == content


def test_lines_end_alike_in_every_checkout(repository: Path) -> None:
    (repository / ".gitattributes").write_text((ROOT / ".gitattributes").read_text())
    script = repository / "entrypoint.sh"
    script.write_bytes(b"#!/bin/sh\r\nexec true\r\n")
    git(repository, "add", "--all")
    git(repository, "commit", "--quiet", "-m", "As an editor of Windows saves it")
    script.unlink()
    git(repository, "-c", "core.autocrlf=true", "-c", "core.eol=crlf", "checkout", "--", "entrypoint.sh")
    assert script.read_bytes() == b"#!/bin/sh\nexec true\n"
