from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import Mock

import pytest
from typer.testing import CliRunner

from cli import lifecycle, session
from cli.main import app
from cli.snapshots import farewell
from cli.snapshots.create import Taken

TAKEN = Taken("test", "one", "/snapshots/test/one", 1, 1.0, 0.0)


class World:
    """What was done, in its order."""

    def __init__(self, taken: Taken | None) -> None:
        self.taken = taken
        self.done: list[str] = []

    @contextmanager
    def farewell(self, _session: object, _stack: str) -> Iterator[Taken | None]:
        self.done.append("snapshot")
        try:
            yield self.taken
        except BaseException:
            self.done.append("going on")
            raise

    def destroy(self, _session: object, _stack: str) -> None:
        self.done.append("destroy")


@pytest.mark.parametrize(
    ("taken", "arguments", "answer", "done"),
    [
        (TAKEN, [], "y\n", ["snapshot", "destroy"]),
        (TAKEN, [], "n\n", ["snapshot", "going on"]),
        (TAKEN, [], "", ["snapshot", "going on"]),
        (TAKEN, ["--yes"], "", ["snapshot", "destroy"]),
        (None, [], "", ["snapshot", "destroy"]),
        (TAKEN, ["--no-snapshot"], "y\n", ["destroy"]),
        (TAKEN, ["--no-snapshot"], "n\n", []),
        (TAKEN, ["--no-snapshot", "--yes"], "", ["destroy"]),
    ],
)
def test_what_it_keeps_is_kept_and_it_asks(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    taken: Taken | None,
    arguments: list[str],
    answer: str,
    done: list[str],
) -> None:
    world = World(taken)
    here = Mock()
    here.clone.home = tmp_path
    here.pulumi.outputs.return_value.volumes = {"postgres": "postgres_test_data"}
    monkeypatch.setattr(session, "prepare", Mock(return_value=here))
    monkeypatch.setattr(lifecycle, "destroy", world.destroy)
    monkeypatch.setattr(farewell, "farewell", world.farewell)
    ended = CliRunner().invoke(app, ["destroy", "test", *arguments], input=answer, catch_exceptions=False)
    assert world.done == done
    assert ended.exit_code == (0 if "destroy" in done else 1)
