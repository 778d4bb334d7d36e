"""What CI shows of a pull request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.system.running import run

if TYPE_CHECKING:
    from subprocess import CompletedProcess

    from tests.system.checkout import Checkout


def preview(checkout: Checkout) -> CompletedProcess[str]:
    return run([str(checkout.root / ".ci/preview"), checkout.stack], cwd=checkout.root, env=checkout.environ)


def test_a_preview_is_shown_as_markdown(checkout: Checkout) -> None:
    done = preview(checkout)
    assert done.returncode == 0, done.stderr
    heading, _, block = done.stdout.partition("\n\n")
    assert heading == f"## {checkout.stack}: valid"
    assert block.startswith("```text\nPreviewing update")
    assert block.rstrip().endswith("\n```")
    assert "unchanged" in block


def test_a_config_that_is_refused_fails_it_and_is_shown_too(checkout: Checkout) -> None:
    checkout.configure(postgres={"port": 0})
    try:
        done = preview(checkout)
    finally:
        checkout.configure()
    assert done.returncode == 1
    assert f"## {checkout.stack}: refused" in done.stdout
    assert "dashtam:postgres.port = 0" in done.stdout
