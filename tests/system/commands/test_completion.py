"""Shells complete environments and services, for `./dashtam` as people type it."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tests.system.commands import terminal
from tests.system.running import run, succeed

if TYPE_CHECKING:
    from pathlib import Path

    from _pytest.mark import ParameterSet

    from tests.system.checkout import Checkout


@dataclass(frozen=True)
class Shell:
    """A shell on somebody's machine.

    Args:
        name: Its command.
        options: Those with which it is interactive, and reads no settings but the user's.
        settings: The file of these, in the user's home.
        prompt: What to write there so that it says that it is ready.
    """

    name: str
    options: tuple[str, ...]
    settings: str
    prompt: str


SHELLS = (
    Shell("bash", ("--noprofile", "-i"), ".bashrc", "PS1='ready> '\n"),
    Shell("zsh", ("--no-globalrcs", "-i"), ".zshrc", "PS1='ready> '\n"),
    Shell("fish", ("-i",), ".config/fish/config.fish", "function fish_prompt; echo -n 'ready> '; end\n"),
)
"""bash is on every machine that runs `./dashtam`; CI has the others too."""


def _if_installed(shell: Shell) -> ParameterSet:
    absent = pytest.mark.skipif(shutil.which(shell.name) is None, reason=f"{shell.name} is not installed")
    return pytest.param(shell, id=shell.name, marks=absent)


@pytest.mark.parametrize("shell", [_if_installed(one) for one in SHELLS])
def test_commands_environments_and_services_are_completed(checkout: Checkout, tmp_path: Path, shell: Shell) -> None:
    settings = tmp_path / shell.settings
    settings.parent.mkdir(parents=True, exist_ok=True)
    settings.write_text(shell.prompt)
    # It is for the shell that it is run from, which would make place for a last command.
    install = [shell.name, "-c", "./dashtam --install-completion && true"]
    succeed(run(install, cwd=checkout.root, env={**checkout.environ, "HOME": str(tmp_path)}))
    with terminal.opened(checkout, shell.name, *shell.options, HOME=str(tmp_path)) as typed:
        typed.expect("ready> ")
        for keys, word in [
            ("./dashtam resta\t", "restart "),
            ("de\t", "dev "),
            ("postg\t", "postgres "),
        ]:
            typed.type(keys)
            typed.expect(word)
