"""Prepares drift for the next update: Pulumi compares with its state, and its refresh doesn't see all changes."""

from __future__ import annotations

from collections.abc import Sequence

from cli.engine.inventory import EngineView, is_of
from cli.environments import states
from cli.environments.configuration import configuration
from cli.operations.drift import MISSING, Difference, EngineReading, differences
from cli.operations.session import Session
from cli.pulumi.stack_state import VOLUME, StackState
from cli.ui.console import announce
from infra.state import holds_data, token_key

REFRESHED = frozenset({"memory", "memorySwap", "restart", "name", "container"})
"""What a refresh sees of a container, so that the update that follows corrects it."""


def prepare(session: Session, stack: str) -> bool:
    """Prepare what a refresh doesn't see, or fails at, for the update; return whether that must refresh first."""
    state = states.read(session.clone, stack)
    found = differences(state, EngineReading(session.engine, stack, session.clone.id), stack, session.clone.id)
    for name, changed in changes_refresh_misses(found).items():
        document = session.engine.container_document(name)
        if document and is_of(document["Config"], None, session.clone.id):
            announce(f"Removing {name}: its {', '.join(changed)} changed.")
            session.engine.remove_container(name)
    for name in make_lost_volumes(session.engine, state, found):
        # The files of a service are in the state as well.
        effect = " with its data; an empty one is made" if holds_data(name) else "; it is made again"
        announce(f"The volume {name} was deleted{effect}.")
    release_keys(session, stack, state)
    return bool(found)


def release_keys(session: Session, stack: str, state: StackState) -> None:
    """Let the next update delete the token keys that the config no longer has, which no row needs any more."""
    protected = {name: one.urn for one in state.resources if one.protect and (name := token_key(one.name))}
    if protected:
        for name in protected.keys() - configuration(session.clone.root, stack).tokens.keys:
            session.pulumi.run("state", "unprotect", protected[name], "--stack", stack, "--yes")


def changes_refresh_misses(found: Sequence[Difference]) -> dict[str, list[str]]:
    """Return the changed properties that a refresh doesn't see, by container."""
    changed: dict[str, list[str]] = {}
    for one in found:
        if one.kind == "container" and one.property not in REFRESHED:
            changed.setdefault(one.resource, []).append(one.property)
    return changed


def make_lost_volumes(view: EngineView, state: StackState, found: Sequence[Difference]) -> list[str]:
    """Make lost volumes again, empty, and return their names: the plugin's refresh fails where a volume is gone."""
    lost = {one.resource for one in found if one.kind == "volume" and one.now == MISSING}
    volumes = [one for one in state.of(VOLUME) if one.inputs["name"] in lost]
    for volume in volumes:
        view.make_volume(volume.inputs["name"], {one["label"]: one["value"] for one in volume.inputs["labels"]})
    return [volume.inputs["name"] for volume in volumes]
