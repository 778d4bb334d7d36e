"""Reminds of the last snapshot where an environment is about to begin without data that it could have."""

from __future__ import annotations

from collections.abc import Callable

from cli.data.snapshots.store import Store
from cli.engine.inventory import EngineView
from infra import earlier
from infra.naming import Naming
from infra.settings import StackSettings

Say = Callable[[str], None]


def remind(kept: Store, view: EngineView, naming: Naming, config: StackSettings, say: Say) -> None:
    """Say how data comes back that is gone, such as after a removal that was broken off.

    Args:
        kept: The environment's snapshots.
        view: The engine.
        naming: The environment's names.
        config: Its config.
        say: Told what to do, if something can be done.
    """
    there = {one["Name"] for one in view.volume_documents()}
    gone = [one for one, volume in earlier.wanted_volumes(naming, config).items() if volume not in there]
    if gone and (names := kept.names()):
        stack = naming.environment
        say(
            f"{stack} begins without data of {' and '.join(gone)}. What it kept at its last snapshot comes back with"
            f" `./dashtam snapshot restore {stack} {names[-1]}`."
        )
