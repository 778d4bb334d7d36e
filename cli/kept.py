"""What an environment keeps and whose it is: by its state and by the labels on the engine, whatever its config says."""

from __future__ import annotations

from cli.clone import Clone
from cli.engine_view import EngineView
from cli.errors import UserError
from cli.recorded import VOLUME, Recorded
from infra import earlier
from infra.earlier import EarlierError, Made
from infra.naming import COMPONENT_LABEL, OWNER_LABEL, PROJECT, PROJECT_LABEL, SERVICES, STACK_LABEL, Naming
from infra.settings import StackSettings


def require_own(clone: Clone, stack: str, state: Recorded) -> None:
    """Make sure that an environment's state is not another clone's.

    Args:
        clone: This clone.
        stack: The environment.
        state: Its state.

    Raises:
        UserError: It is.
    """
    try:
        earlier.require_own(made(state), Naming(stack, clone.id))
    except EarlierError as error:
        raise _told(error) from None


def require_wanted(view: EngineView, naming: Naming, config: StackSettings, state: Recorded) -> None:
    """Make sure that an environment's config asks for every volume with data that the environment has.

    Args:
        view: The engine.
        naming: The environment's names.
        config: Its config.
        state: Its state.

    Raises:
        UserError: It doesn't.
    """
    there = data(view, naming.environment, naming.owner, state)
    try:
        earlier.require_kept([Made(VOLUME, name) for name in there], naming, config)
    except EarlierError as error:
        raise _told(error) from None


def data(view: EngineView, stack: str, owner: str, state: Recorded) -> set[str]:
    """Return the names of the volumes on the engine in which an environment has data.

    Args:
        view: The engine.
        stack: The environment.
        owner: This clone.
        state: The environment's state.
    """
    there = {one["Name"] for one in view.volume_documents()}
    recorded = earlier.data_volumes(made(state)) & there
    return recorded | {name for name in volumes(view, stack, owner) if earlier.holds_data(name)}


def volumes(view: EngineView, stack: str, owner: str) -> set[str]:
    """Return the names of an environment's volumes on the engine, by their labels.

    Args:
        view: The engine.
        stack: The environment.
        owner: This clone.
    """
    wanted = {PROJECT_LABEL: PROJECT, STACK_LABEL: stack, OWNER_LABEL: owner}.items()
    documents = [(one["Name"], one["Labels"] or {}) for one in view.volume_documents()]
    return {name for name, labels in documents if wanted <= labels.items() and labels.get(COMPONENT_LABEL) in SERVICES}


def made(state: Recorded) -> list[Made]:
    """Return what a state has, as the checks of the program see it."""
    return [earlier.made(one.kind, one.outputs) for one in state.resources]


def _told(error: EarlierError) -> UserError:
    return UserError(error.message, cause=error.cause, remedy=error.remedy)
