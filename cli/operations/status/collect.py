"""What there is: each environment's services, certificates, data and drift, without changing anything."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime

from cli.core.errors import UserError
from cli.engine.container import ContainerView
from cli.engine.inventory import EngineView
from cli.engine.tasks import ServiceView
from cli.environments import clone, ownership, placements, states
from cli.environments.clone import Clone
from cli.environments.configuration import configured_stacks
from cli.operations.drift import EngineReading, differences
from cli.operations.status.sizes import Sizes
from cli.pulumi.stack_state import StackState


@dataclass(frozen=True)
class Overview:
    """One environment.

    Args:
        folder: That clone's checkout; empty where it is not known here.
        images: The images' references by service.
        expiry: When the first of its certificates expires; None where it has none.
        drift: How much is not as Pulumi's state says; None where that state can't be read here.
        data: Bytes by volume that lasts, None for one that was not measured; None where it isn't known which.
    """

    environment: str
    owner: str
    folder: str
    services: Sequence[ContainerView]
    images: Mapping[str, str | None]
    expiry: datetime | None
    drift: int | None
    data: Mapping[str, int | None] | None
    urls: Mapping[str, str | None] = field(default_factory=dict)
    swarm: Sequence[ServiceView] = ()
    """Its services, where it is on a Swarm."""
    only: Sequence[str] = ()
    """The services that were chosen to run; empty if all were."""

    @property
    def state(self) -> str:
        """`up` if all of its services are healthy, `down` if none runs, else `partly up`."""
        complete = all(one.is_fine for one in self.services) and all(one.is_fine for one in self.swarm)
        if self.services and complete:
            return "up"
        return "partly up" if any(one.state == "running" for one in self.services) else "down"


def gather(
    view: EngineView, here: Clone | None, stacks: Sequence[str] | None, *, everyone: bool, sizes: Sizes | None
) -> list[Overview]:
    """Look at environments, at all that there are if none is named: this clone's, then others', by name."""
    owner = here.id if here else ""
    engine = EngineReading(view, stacks[0] if stacks and len(stacks) == 1 else None, None if everyone else owner)
    wanted = {(owner, name) for name in stacks or configured_stacks()}
    if stacks is None:
        wanted |= {(one.owner, one.stack) for one in engine.views}
    volumes = sizes.of(engine.containers) if sizes else {}
    ordered = sorted(wanted, key=lambda one: (one[0] != owner, one))
    return [_look(engine, here, whose, name, volumes) for whose, name in ordered]


def _look(engine: EngineReading, here: Clone | None, owner: str, stack: str, volumes: Mapping[str, int]) -> Overview:
    whose = here if here and here.id == owner else clone.known(owner)
    state = _state(whose, stack, is_here=whose is here)
    return Overview(
        environment=stack,
        owner=owner,
        folder=str(whose.root) if whose else "",
        services=engine.services(stack, owner),
        images=state.outputs.get("images") or {} if state else {},
        expiry=state.expiry if state else None,
        drift=_drift(state, engine, stack, owner),
        swarm=engine.view.services(stack, owner),
        only=_only(whose, stack),
        urls=state.outputs.get("urls") or {} if state else {},
        data={name: volumes.get(name) for name in (state.outputs.get("volumes") or {}).values()} if state else None,
    )


def _drift(state: StackState | None, engine: EngineReading, stack: str, owner: str) -> int | None:
    with suppress(UserError):  # a node of the Swarm with volumes may be down
        return len(differences(state, engine, stack, owner)) if state else None
    return None


def _only(whose: Clone | None, stack: str) -> Sequence[str]:
    with suppress(UserError):  # another clone's record need not be readable
        return placements.of(whose, stack).services if whose else ()
    return ()


def _state(whose: Clone | None, stack: str, *, is_here: bool) -> StackState | None:
    if whose is None:
        return None
    try:
        # Another clone's state is looked for where clones keep it, not where this shell's variables say.
        state = states.read(whose, stack, os.environ if is_here else {"PULUMI_BACKEND_URL": whose.backend_url})
        # In a backend that clones share it may be another clone's.
        ownership.require_own(whose, stack, state)
    except (UserError, OSError, ValueError):
        return None
    return state
