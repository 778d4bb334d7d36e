"""A passphrase that is lost: what needs it says so, what runs can be rescued, and the remedy mends it word for word."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.system import environments
from tests.system.commands.contents import Contents
from tests.system.commands.passphrases import losing
from tests.system.running import succeed

if TYPE_CHECKING:
    from collections.abc import Iterator

    import docker

    from tests.system.checkout import Checkout

COMMAND = re.compile(r"`\./dashtam ([^`]+)`")
WITHOUT_IT: tuple[tuple[str, ...], ...] = (
    ("status",),
    ("logs", "{stack}", "app", "--tail", "1"),
    ("exec", "{stack}", "app", "true"),
    ("restart", "{stack}", "callback"),
    ("certs", "{stack}"),
    ("export", "compose", "{stack}"),
    ("clean", "--dry-run"),
)


@pytest.fixture
def contents(spare: Checkout, client: docker.DockerClient, tmp_path: Path) -> Contents:
    return Contents(spare, client, tmp_path, spare.stack)


@pytest.fixture
def lost(spare: Checkout) -> Iterator[Path]:
    """Where the passphrase of an environment that is up was."""
    spare.up()
    with losing(spare) as passphrase:
        yield passphrase


def test_what_does_not_need_it_goes_on(spare: Checkout, lost: Path) -> None:
    for command in WITHOUT_IT:
        succeed(spare.dashtam(*(part.format(stack=spare.stack) for part in command)))
    assert not lost.exists()


@pytest.mark.parametrize("command", ["up", "down", "rebuild", "destroy"])
def test_what_needs_it_changes_nothing(spare: Checkout, client: docker.DockerClient, lost: Path, command: str) -> None:
    def ids() -> set[str]:
        return {one["Id"] for one in client.api.containers(all=True, filters=environments.labelled(spare.stack))}

    before = ids()
    done = spare.dashtam(command, spare.stack)
    assert done.returncode == 1
    assert f"The passphrase {lost} is missing" in done.stderr
    assert "What to do:" in done.stderr
    assert ids() == before
    assert not lost.exists()


async def test_the_remedy_saves_the_data_and_starts_anew(
    spare: Checkout, contents: Contents, client: docker.DockerClient, tmp_path: Path
) -> None:
    spare.up()
    tracked = spare.status()
    account = await contents.fill()
    before = await contents.rows("kept")
    with losing(spare) as passphrase:
        snapshot = Path(json.loads(succeed(spare.dashtam("snapshot", "create", spare.stack, "--json")))["path"])
        for command in _named(spare.dashtam("up", spare.stack).stderr, spare.stack, str(tmp_path / "rescued")):
            succeed(spare.dashtam(*command, *(["--yes"] if command[0] in {"clean", "restore"} else [])))
        assert passphrase.exists()
    assert await contents.rows("kept") == before
    # Its tokens were encrypted under keys that only the passphrase could have kept.
    assert contents.accounts()[account] == ["revoked", "", None]
    assert environments.is_up(client, spare.stack)
    assert spare.status() == tracked
    succeed(spare.dashtam("snapshot", "restore", spare.stack, snapshot.name, "--yes"))
    assert await contents.rows("kept") == before
    assert environments.is_up(client, spare.stack)
    succeed(spare.pulumi("preview", "--stack", spare.stack, "--expect-no-changes"))


def _named(said: str, stack: str, file: str) -> list[list[str]]:
    """Return the commands that a remedy names, in their order."""
    remedy = " ".join(said[said.index("What to do:") :].split())
    words = {"ENVIRONMENT": stack, "FILE": file}
    commands = [[words.get(word, word) for word in found.split()] for found in COMMAND.findall(remedy)]
    assert [one[0] for one in commands] == ["backup", "clean", "up", "restore"]
    return commands
