"""What each shell asks, and what it is answered."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer._completion_shared import get_completion_script
from typer.testing import CliRunner

from cli.core.paths import ROOT
from cli.data.snapshots import store
from cli.environments import clone
from cli.environments.clone import Clone
from cli.main import app


def _asked(shell: str, line: str) -> str:
    """Return what a shell is answered that completes the last word of a line."""
    words = line.split(" ")
    asked = {
        "_DASHTAM_COMPLETE": f"complete_{shell}",
        "COMP_WORDS": line,
        "COMP_CWORD": str(len(words) - 1),
        "_TYPER_COMPLETE_ARGS": line,
        "_TYPER_COMPLETE_FISH_ACTION": "get-args",
    }
    return CliRunner().invoke(app, [], prog_name="dashtam", env=asked).output.strip()


ANSWERS = {"bash": "{}", "zsh": "_arguments '*: :((\"{}\"))'", "fish": "{}"}


@pytest.mark.parametrize("shell", ANSWERS)
@pytest.mark.parametrize(
    ("line", "word"),
    [
        ("./dashtam status de", "dev"),
        ("./dashtam env te", "test"),
        ("./dashtam logs dev postg", "postgres"),
        ("./dashtam open dev cal", "callback"),
        ("./dashtam images source de", "debian"),
        ("./dashtam snapshot restore dev bef", "before-import"),
        ("./dashtam snapshot delete dev bef", "before-import"),
        ("./dashtam snapshot restore feat", "feature-x"),
        ("./dashtam snapshot restore de", "dev"),
    ],
)
def test_a_word_is_completed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, shell: str, line: str, word: str) -> None:
    here = Clone("me", ROOT, tmp_path)
    monkeypatch.setattr(clone, "find", lambda: here)
    for name in ("before-import", "after"):
        store.of(here, "dev").path(name).mkdir(parents=True)
    store.of(here, "feature-x").path("before").mkdir(parents=True)
    assert _asked(shell, line) == ANSWERS[shell].format(word)


def test_a_clone_in_which_nothing_was_done_has_no_snapshots(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clone, "find", lambda: None)
    assert _asked("bash", "./dashtam snapshot restore dev bef") == ""


def _script(shell: str) -> str:
    return get_completion_script(prog_name="dashtam", complete_var="_DASHTAM_COMPLETE", shell=shell)


@pytest.mark.parametrize(
    ("shell", "typed"), [("bash", "complete_bash $1"), ("zsh", "complete_zsh ${~words[1]}"), ("fish", "-opc)[1]")]
)
def test_shells_ask_the_command_that_is_typed(shell: str, typed: str) -> None:
    script = _script(shell)
    assert typed in script
    assert " dashtam)" not in script
    assert ' dashtam"' not in script
    assert "%" not in script
