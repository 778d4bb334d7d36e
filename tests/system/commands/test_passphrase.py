"""A passphrase that is lost: commands that need it are refused and change nothing, the others work.

That the remedy saves the data is shown with `clean`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.system import environments
from tests.system.commands.passphrases import losing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import docker

    from tests.system.checkout import Checkout

WITHOUT_IT = (
    "status",
    "logs {stack} app --tail 1",
    "exec {stack} app true",
    "restart {stack} callback",
    "certs {stack}",
    "export compose {stack}",
    "snapshot create {stack} without-passphrase",
    "snapshot delete {stack} without-passphrase --yes",
    "clean --dry-run",
)
WITH_IT = ("up {stack}", "down {stack}", "rebuild {stack}", "destroy {stack}")


@pytest.fixture
def lost(checkout: Checkout) -> Iterator[Path]:
    """Where the passphrase of an environment that is up was."""
    with losing(checkout) as passphrase:
        yield passphrase


def test_what_does_not_need_it_works(checkout: Checkout, lost: Path) -> None:
    failed = {}
    for line in WITHOUT_IT:
        done = checkout.dashtam(*line.format(stack=checkout.stack).split())
        if done.returncode != 0:
            failed[line] = done.stderr
    assert failed == {}
    assert not lost.exists()


def test_what_needs_it_changes_nothing(checkout: Checkout, client: docker.DockerClient, lost: Path) -> None:
    def ids() -> set[str]:
        return {one["Id"] for one in client.api.containers(all=True, filters=environments.labelled(checkout.stack))}

    before, answers = ids(), {}
    for line in WITH_IT:
        done = checkout.dashtam(*line.format(stack=checkout.stack).split())
        told = [one in done.stderr for one in (f"The passphrase {lost} is missing", "What to do:")]
        answers[line] = (done.returncode, told)
    assert answers == dict.fromkeys(WITH_IT, (1, [True, True]))
    assert ids() == before
    assert not lost.exists()
