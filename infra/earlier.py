"""What earlier updates made, as Pulumi's state has it, and what of it the next one must not take away.

Whatever is in a stack's state and is not declared any more goes with the next update: data volumes that an edited
config doesn't ask for, and all that another clone made under the same stack of a backend that both use. So the program
asks before it declares anything, and the commands before they change anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from infra.naming import OWNER_LABEL, Naming
from infra.settings import StackSettings

UNCLAIMED = "unclaimed"
"""The owner where no clone is named: plain Pulumi in a shell that was not set up."""

KEEPERS = ("postgres", "redis")
"""The services that keep data."""

_VOLUME = "docker:index/volume:Volume"
_FILES = "-files"
"""How the names of volumes end that hold no data, but certificates and secrets that are in the state too."""


class EarlierError(Exception):
    """An update would take away what it must not.

    Args:
        message: What it would take away.
        cause: Why.
        remedy: What to do instead.
    """

    def __init__(self, message: str, *, cause: str, remedy: str) -> None:
        super().__init__(f"{message} {cause} {remedy}")
        self.message, self.cause, self.remedy = message, cause, remedy


@dataclass(frozen=True)
class Made:
    """A resource that an earlier update made.

    Args:
        kind: Pulumi's type token.
        name: Its name on the engine.
        labels: Its labels.
    """

    kind: str
    name: str
    labels: Mapping[str, str] = field(default_factory=dict)

    @property
    def owner(self) -> str:
        """The clone that made it; empty where that isn't known."""
        return self.labels.get(OWNER_LABEL, "")


def made(kind: str, outputs: Mapping[str, Any]) -> Made:
    """Return a resource.

    Args:
        kind: Pulumi's type token.
        outputs: What the state says became of it.
    """
    labels = outputs.get("labels")
    pairs = labels if isinstance(labels, list) else []
    return Made(kind, str(outputs.get("name", "")), {one["label"]: one["value"] for one in pairs})


def holds_data(volume: str) -> bool:
    """Tell by its name whether a volume of this project holds data."""
    return not volume.endswith(_FILES)


def data_volumes(earlier: Iterable[Made]) -> set[str]:
    """Return the names of the volumes that hold data."""
    return {one.name for one in earlier if one.kind == _VOLUME and holds_data(one.name)}


def wanted_volumes(naming: Naming, config: StackSettings) -> dict[str, str]:
    """Return the volumes that a config asks for to keep data in, by service.

    Args:
        naming: A stack's names.
        config: Its config.
    """
    return {one: naming.data_volume(one) for one in KEEPERS if getattr(config, one).storage == "volume"}


def require_own(earlier: Iterable[Made], naming: Naming) -> None:
    """Make sure that a stack is not another clone's.

    Args:
        earlier: What the state has of it.
        naming: Its names as this clone has them.

    Raises:
        EarlierError: It is.
    """
    for one in earlier:
        if one.owner not in {"", naming.owner}:
            raise _not_own(one, naming)


def require_kept(earlier: Iterable[Made], naming: Naming, config: StackSettings) -> None:
    """Make sure that a stack's config still asks for every data volume that the state has.

    Args:
        earlier: What the state has of it.
        naming: Its names.
        config: Its config.

    Raises:
        EarlierError: It doesn't.
    """
    unwanted = sorted(data_volumes(earlier) - set(wanted_volumes(naming, config).values()))
    if unwanted:
        stack = naming.environment
        raise EarlierError(
            f"{stack} keeps data in {', '.join(unwanted)}, which its config no longer asks for; nothing was changed.",
            cause="An update would remove what its config doesn't ask for, with all that is in it.",
            remedy=f"Set `storage: volume` in Pulumi.{stack}.yaml as it was; or remove the environment first, which"
            f" takes a snapshot: `./dashtam destroy {stack}`.",
        )


def _not_own(one: Made, naming: Naming) -> EarlierError:
    stack = naming.environment
    if naming.owner == UNCLAIMED:
        remedy = 'Run `eval "$(./dashtam env)"` first, or use `./dashtam`: they say which clone this is.'
    else:
        remedy = (
            f"Work there; or make an environment of another name: `./dashtam up {stack} --name NAME`; or use a state"
            " backend of this clone's own: unset PULUMI_BACKEND_URL and `pulumi logout`."
        )
    return EarlierError(
        f"{stack} is another clone's in this state backend; nothing was changed.",
        cause=f"{one.name} is labelled {OWNER_LABEL}={one.owner}, and this is {naming.owner}: from here, that clone's"
        " containers would be removed, with their data.",
        remedy=remedy,
    )
