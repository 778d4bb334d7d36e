"""A shell completes environments and services, for `./dashtam` as people type it."""

from __future__ import annotations

from pathlib import Path

from tests.operator import terminal
from tests.verify.checkout import Checkout
from tests.verify.running import run, succeed


def test_bash_completes_commands_environments_and_services(checkout: Checkout, tmp_path: Path) -> None:
    (tmp_path / ".bashrc").write_text("PS1='ready> '\n")
    # It is for the shell that it is run from.
    install = ["bash", "-c", "./dashtam --install-completion; true"]
    succeed(run(install, cwd=checkout.root, env={**checkout.environ, "HOME": str(tmp_path)}))
    with terminal.opened(checkout, "bash", "--noprofile", "-i", HOME=str(tmp_path)) as bash:
        bash.expect("ready> ")
        bash.type(f"./dashtam resta\t{checkout.stack[:9]}\tpostg\t#")
        bash.expect(f"./dashtam restart {checkout.stack} postgres #")
