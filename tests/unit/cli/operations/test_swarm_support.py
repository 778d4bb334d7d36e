from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from cli.core.errors import UserError
from cli.environments import targets
from cli.lazy_commands import Commands
from cli.operations import swarm_support
from cli.operations.swarm_support import EVERYTHING, REASONS, SUPPORTED

if TYPE_CHECKING:
    from typer._click.core import Command

STACK = "staging"


def _leaves(command: Command, path: str) -> Iterator[tuple[str, Command]]:
    inner = getattr(command, "commands", None)
    if not inner:
        yield path, command
    for name, one in (inner or {}).items():
        yield from _leaves(one, f"{path} {name}")


LEAVES = dict(leaf for name, command in Commands().items() for leaf in _leaves(command, name))
REFUSED = [
    path
    for path, command in LEAVES.items()
    if path not in SUPPORTED and ([*swarm_support.named(command.params)] or path in EVERYTHING)
]


@pytest.fixture(autouse=True)
def _on_a_swarm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(targets, "is_swarm", lambda stack: stack == STACK)
    monkeypatch.setattr(swarm_support, "made", lambda: iter([STACK]))


def test_every_command_that_is_named_exists() -> None:
    assert LEAVES.keys() >= {*SUPPORTED, *REASONS, *EVERYTHING}
    assert not SUPPORTED & REASONS.keys()


@pytest.mark.parametrize("path", REFUSED)
def test_every_other_command_refuses_before_it_begins(path: str) -> None:
    command = LEAVES[path]
    several = {"environments", "words"}
    given: dict[str, Any] = {
        name: [STACK] if name in several else STACK for name in swarm_support.named(command.params)
    }
    assert command.callback
    with pytest.raises(UserError, match=f"`./dashtam {path}` doesn't work for {STACK}") as raised:
        command.callback(**given)
    assert raised.value.cause
    assert raised.value.remedy


def test_environments_on_an_engine_have_every_command() -> None:
    ran = []
    command = Commands()["down"]
    command.callback = lambda **given: ran.append(given)
    swarm_support.guard(command, "a command that nobody thought of")
    command.callback(environments=["dev", "test"], no_install=False)
    assert ran == [{"environments": ["dev", "test"], "no_install": False}]
    with pytest.raises(UserError, match=STACK):
        command.callback(environments=["dev", STACK], no_install=False)
    assert len(ran) == 1
