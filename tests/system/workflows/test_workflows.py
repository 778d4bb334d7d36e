"""What runs on GitHub, checked by the tools that know it: nothing of it can be run here."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from cli.core.paths import ROOT
from cli.machine.go import fetch_go, find_go
from cli.machine.toolchain import read_versions

WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
LINTER = ROOT / ".github/actionlint"
SCRIPTS = ("dashtam", ".ci/run", ".ci/preview", "images/base/rootfs", "images/postgres/entrypoint")
VENV = ROOT / ".venv/bin"
LONGEST = {"campaign": 120}
"""Minutes that a job of a workflow may take where that isn't 40."""
PINNED = re.compile(r"uses: [\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$")


@pytest.fixture(scope="session")
def go() -> Path:
    return find_go(read_versions()) or fetch_go(read_versions())


def actionlint(go: Path, *files: Path) -> subprocess.CompletedProcess[str]:
    command: list[str | Path] = [go, "tool", "-C", LINTER, "actionlint", "-no-color", *files]
    # It checks the scripts in the steps by the shellcheck on PATH.
    environment = {**os.environ, "PATH": f"{VENV}:{os.environ['PATH']}", "GOFLAGS": "-mod=readonly"}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def zizmor(*files: Path) -> subprocess.CompletedProcess[str]:
    command: list[str | Path] = [VENV / "zizmor", "--offline", "--no-progress", "--persona", "pedantic", *files]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def document(workflow: Path) -> dict[str, Any]:
    # `on` is a truth value to YAML 1.1.
    return {str(key): value for key, value in yaml.safe_load(workflow.read_text()).items()}


def test_actionlint_has_nothing_to_say(go: Path) -> None:
    done = actionlint(go, *WORKFLOWS)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr


def test_zizmor_has_nothing_to_say() -> None:
    done = zizmor(ROOT / ".github")
    assert done.returncode == 0, done.stdout + done.stderr


def broken(folder: Path, pattern: str, new: str) -> Path:
    """Break the workflow of the tests: change what a pattern finds."""
    text, count = re.subn(pattern, lambda _: new, (ROOT / ".github/workflows/tests.yml").read_text())
    assert count > 0, f"there is no {pattern} to break"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "broken.yml").write_text(text)
    return folder / "broken.yml"


def test_actionlint_would_have(go: Path, tmp_path: Path) -> None:
    breakages = {
        "unexpected key": ("timeout-minutes: ", "timeout-minute: "),
        "shellcheck": (r"\.ci/run", 'cd $HOME; .ci/run "$undefined'),
        "undefined function": (r"cancelled\(\)", "canceled()"),
    }
    files = [broken(tmp_path / str(number), *one) for number, one in enumerate(breakages.values())]
    done = actionlint(go, *files)
    assert done.returncode == 1
    # It names a file relative to the checkout where that is shorter.
    names = [f"{file.parent.name}/{file.name}:" for file in files]
    lines = [[line for line in done.stdout.splitlines() if name in line] for name in names]
    told = dict(zip(breakages, lines, strict=True))
    assert [what for what, said in told.items() if not any(what in line for line in said)] == [], done.stdout


@pytest.mark.parametrize(
    ("pattern", "new", "told"),
    [
        (r"permissions: \{\}", "permissions: write-all", "excessive-permissions"),
        ("persist-credentials: false", "fetch-depth: 1", "artipacked"),
        (r"checkout@[0-9a-f]{40}", "checkout@v7", "unpinned-uses"),
        (r"\.ci/run", "echo ${{ github.head_ref }}", "template-injection"),
    ],
)
def test_zizmor_would_have(tmp_path: Path, pattern: str, new: str, told: str) -> None:
    done = zizmor(broken(tmp_path / ".github/workflows", pattern, new))
    assert done.returncode != 0
    assert told in done.stdout


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.stem)
def test_actions_are_pinned_and_nothing_may_write(workflow: Path) -> None:
    text = workflow.read_text()
    uses = [line.strip().removeprefix("- ") for line in text.splitlines() if "uses:" in line]
    assert uses
    assert all(PINNED.fullmatch(line) for line in uses), uses
    written = document(workflow)
    assert written["permissions"] == {}
    assert written["concurrency"]["group"]
    for job in written["jobs"].values():
        assert set(job["permissions"].values()) == {"read"}
        assert job["timeout-minutes"] <= LONGEST.get(workflow.stem, 40)


def test_no_commit_on_main_waits_in_the_place_of_another() -> None:
    # GitHub keeps one pending run for a group, and cancels it for a newer one.
    concurrency = document(ROOT / ".github/workflows/tests.yml")["concurrency"]
    of_pull_requests = "github.event_name == 'pull_request'"
    assert concurrency["group"] == f"tests-${{{{ {of_pull_requests} && github.ref || github.sha }}}}"
    assert concurrency["cancel-in-progress"] == f"${{{{ {of_pull_requests} }}}}"


def test_the_steps_run_what_is_there() -> None:
    steps = [step for path in WORKFLOWS for job in document(path)["jobs"].values() for step in job["steps"]]
    ours = {word for step in steps for word in shlex.split(step.get("run", "")) if word.startswith(".ci/")}
    assert ours == {".ci/run", ".ci/preview"}
    assert all(os.access(ROOT / script, os.X_OK) for script in ours)


def test_the_parts_together_are_what_a_merge_needs() -> None:
    parts = set(document(ROOT / ".github/workflows/tests.yml")["jobs"]["tests"]["strategy"]["matrix"]["part"])
    cases = dict(re.findall(r"^        (\w+)\)(.*?);;", (ROOT / ".ci/run").read_text(), re.DOTALL | re.MULTILINE))
    assert parts == {*cases} - {"campaign", "swarm", "sequences"}
    folders = {one.name for one in (ROOT / "tests/system").iterdir() if any(one.glob("test_*.py"))}
    named = re.search(r"tests/system/\{(.*)\}", cases["installation"])
    assert named is not None
    assert {*named[1].split(","), "commands"} == folders - {"swarm"}
    assert "tests/system/commands " in cases["commands"]


@pytest.mark.parametrize("names", [["servise"], ["service", ""], ["service", "all"]])
def test_an_unknown_part_ends_before_anything_is_done(tmp_path: Path, names: list[str]) -> None:
    shutil.copytree(ROOT / ".ci", tmp_path / ".ci")
    (tmp_path / "dashtam").write_text(f"#!/bin/sh\ntouch {tmp_path}/called\n")
    (tmp_path / "dashtam").chmod(0o755)
    (tmp_path / "test-results").mkdir()
    done = subprocess.run([tmp_path / ".ci/run", *names], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (64, "")
    assert "Unknown part" in done.stderr
    assert {one.name for one in tmp_path.iterdir()} == {".ci", "dashtam", "test-results"}


@pytest.mark.parametrize("script", SCRIPTS)
def test_shell_scripts_are_sound(script: str) -> None:
    command: list[str | Path] = [VENV / "shellcheck", "--severity", "warning", ROOT / script]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
