"""The real engine previews the real program: with nothing built or started, and with something wrong."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra.catalogue import ROOT

START = "Start Docker Desktop or the docker service; `./dashtam up` installs and starts one where it may."


@dataclass(frozen=True)
class Project:
    """A project with the program of this checkout, and config, state and passphrase of its own.

    Args:
        folder: Where its config is.
        state: Where its state is.
        variables: What its Pulumi needs.
    """

    folder: Path
    state: Path
    variables: Mapping[str, str]

    def pulumi(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["pulumi", *arguments, "--non-interactive", "--color", "never"],
            cwd=self.folder,
            env={**os.environ, **self.variables, **variables},
            capture_output=True,
            text=True,
            check=False,
        )

    def configure(self, stack: str, source: str, change: Mapping[str, Any] | None = None) -> None:
        """Make a stack whose config is a copy of another's, changed."""
        config = yaml.safe_load((ROOT / f"Pulumi.{source}.yaml").read_text())["config"]
        for name, value in (change or {}).items():
            section, key = name.split(".")
            config[f"dashtam:{section}"][key] = value
        (self.folder / f"Pulumi.{stack}.yaml").write_text(yaml.safe_dump({"config": config}))
        made = self.pulumi("stack", "init", stack)
        assert made.returncode == 0, made.stderr

    def preview(self, stack: str, **variables: str) -> subprocess.CompletedProcess[str]:
        return self.pulumi("preview", "--stack", stack, "--suppress-progress", **variables)

    def holds_nothing(self, stack: str) -> bool:
        state = json.loads((self.state / f".pulumi/stacks/dashtam/{stack}.json").read_text())
        return not state["checkpoint"]["latest"].get("resources")


@pytest.fixture
def project(tmp_path: Path) -> Project:
    folder, state = tmp_path / "project", tmp_path / "state"
    folder.mkdir()
    state.mkdir()
    for name in ("Pulumi.yaml", "infra", ".venv"):
        (folder / name).symlink_to(ROOT / name)
    variables = {
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        "PULUMI_BACKEND_URL": state.as_uri(),
        "PULUMI_CONFIG_PASSPHRASE": secrets.token_urlsafe(),
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "DASHTAM_IMAGE_SOURCE": "registry",
    }
    return Project(folder, state, variables)


def told(done: subprocess.CompletedProcess[str]) -> list[str]:
    """Return the lines that a refused preview ends with: one error, and no traceback."""
    assert done.returncode != 0
    assert "Traceback" not in done.stdout + done.stderr
    _, _, diagnostics = done.stdout.partition("Diagnostics:")
    lines = [line.strip() for line in diagnostics.partition("Resources:")[0].splitlines() if line.strip()]
    assert [line.startswith("error: ") for line in lines[1:3]].count(True) == 1
    return [lines[1].removeprefix("error: "), *lines[2:]]


@pytest.mark.parametrize("source", ["dev", "ci"])
def test_a_preview_needs_nothing_built_or_started(project: Project, source: str) -> None:
    stack = f"preview-{source}"
    project.configure(stack, source)
    done = project.preview(stack)
    assert done.returncode == 0, done.stdout + done.stderr
    for service in ("postgres", "redis", "app", "callback", "sandbox"):
        assert f"docker:index:Container dashtam-{stack}-{service} create" in done.stdout
    assert done.stdout.count("[secret]") >= 2
    assert "Diagnostics:" not in done.stdout
    assert project.holds_nothing(stack)


def test_wrong_values_are_told_before_anything_is_declared(project: Project) -> None:
    project.configure("test", "test", {"postgres.port": "5433"})
    secret = ("--secret", "--path", "dashtam:redis.memory", "hush-hush")
    hidden = project.pulumi("config", "set", "--stack", "test", *secret)
    assert hidden.returncode == 0, hidden.stderr
    done = project.preview("test")
    assert told(done) == [
        "Pulumi.test.yaml is not valid:",
        'dashtam:postgres.port = "5433": input should be a valid integer; write a whole number, without quotes.',
        (
            "dashtam:redis.memory = [secret]: it must be a whole number of m or g, from 16m to 64g, such as 512m;"
            " write 512m or 2g."
        ),
    ]
    assert "hush-hush" not in done.stdout + done.stderr
    assert "docker:" not in done.stdout
    assert project.holds_nothing("test")


def test_an_engine_that_does_not_answer_is_told_with_its_remedy(project: Project) -> None:
    project.configure("ci", "ci")
    host = f"unix://{project.folder}/docker.sock"
    done = project.preview("ci", DOCKER_HOST=host)
    assert told(done) == [
        f"No Docker engine answers at {host}: No such file or directory. {START} `./dashtam doctor` shows more.",
    ]
    assert "docker:" not in done.stdout
    assert project.holds_nothing("ci")
