"""Lets the next update mend drift: Pulumi compares with its state, and its refresh doesn't see all that has changed."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from cli.engine.inventory import EngineView
from cli.environments.clone import Clone
from cli.operations.drift import GONE, Difference, Snapshot, differences
from cli.pulumi import stack_state
from cli.pulumi.stack_state import VOLUME, Recorded
from infra.earlier import holds_data

REFRESHED = frozenset({"memory", "memorySwap", "restart", "name", "container"})
"""What a refresh sees of a container, so that the update that follows sets it right."""

Say = Callable[[str], None]


def prepare(view: EngineView, clone: Clone, stack: str, say: Say) -> bool:
    """Bring what a refresh doesn't see, or fails at, into a form that the update sets right.

    Args:
        view: The engine.
        clone: This clone.
        stack: The environment.
        say: Told what is done.

    Returns:
        Whether the next update must refresh first.
    """
    state = stack_state.read(clone, stack)
    found = differences(state, Snapshot(view, stack, clone.id), stack, clone.id)
    _remove_containers(view, found, say)
    _make_volumes(view, state, found, say)
    return bool(found)


def _remove_containers(view: EngineView, found: Sequence[Difference], say: Say) -> None:
    for name, changed in unseen(found).items():
        if view.container_document(name):
            say(f"Removing {name}: its {', '.join(changed)} changed.")
            view.remove_container(name)


def unseen(found: Sequence[Difference]) -> dict[str, list[str]]:
    """Return what has changed of containers that a refresh doesn't see.

    Args:
        found: What differs.

    Returns:
        Properties by container.
    """
    changed: dict[str, list[str]] = {}
    for one in found:
        if one.kind == "container" and one.property not in REFRESHED:
            changed.setdefault(one.resource, []).append(one.property)
    return changed


def _make_volumes(view: EngineView, state: Recorded, found: Sequence[Difference], say: Say) -> None:
    """Make lost volumes again, empty: the plugin's refresh fails where one is gone, instead of saying so."""
    lost = {one.resource for one in found if one.kind == "volume" and one.now == GONE}
    for volume in state.of(VOLUME):
        name = volume.inputs["name"]
        if name in lost:
            # The files of a service are in the state as well.
            lost_data = " with what it held; making an empty one" if holds_data(name) else "; making it again"
            say(f"The volume {name} is gone{lost_data}.")
            view.make_volume(name, {one["label"]: one["value"] for one in volume.inputs["labels"]})
