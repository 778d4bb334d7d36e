"""Handles a lost passphrase of this clone: refuses what needs it, and removes what only it can read.

Data can be rescued without it: it is in the engine's volumes, and no data is encrypted under the passphrase.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping

from cli.core.errors import UserError
from cli.environments import git_filter, tool_environment
from cli.environments.clone import Clone
from cli.pulumi import backend
from cli.ui.console import announce


def blocks(clone: Clone, environ: Mapping[str, str] = os.environ) -> bool:
    """Return whether Pulumi would need a passphrase that is lost."""
    return clone.has_lost_passphrase and _is_used(clone, environ)


def _is_used(clone: Clone, environ: Mapping[str, str]) -> bool:
    used = tool_environment.of(clone, environ)
    return backend.PASSPHRASE not in used and used[backend.PASSPHRASE_FILE] == str(clone.passphrase_file)


def forget_another(clone: Clone, environ: Mapping[str, str] = os.environ) -> None:
    """Forget what Pulumi noted of another passphrase in the config, if nothing is left that was encrypted under it."""
    used = backend.folder(tool_environment.of(clone, environ), clone.root)
    if used == clone.backend and not used.has_any_state and _is_used(clone, environ):
        git_filter.forget(clone)


def require(clone: Clone) -> None:
    """Make sure that Pulumi can read the secrets of this clone's environments."""
    if blocks(clone):
        path = clone.passphrase_file
        raise UserError(
            f"The passphrase {path} is missing.",
            cause="Without it the secrets of this clone's environments can't be read, and a new one can't read them.",
            remedy="Put it back from your backup of its folder. If there is none, start again: save each environment"
            " with `./dashtam backup ENVIRONMENT FILE`, remove everything with `./dashtam clean`, which removes"
            f" the state in {clone.state_folder} too, and then run `./dashtam up ENVIRONMENT` and"
            " `./dashtam restore ENVIRONMENT FILE`.",
        )


def loses_token_keys(clone: Clone) -> bool:
    """Return whether the keys of linked accounts' tokens can't be kept with the data, and print it if they can't."""
    if clone.has_lost_passphrase:
        announce(
            f"The passphrase {clone.passphrase_file} is missing: linked accounts will have to be linked again once this"
            " is restored into an environment with other keys."
        )
    return clone.has_lost_passphrase


def remove_unreadable(clone: Clone) -> None:
    """Remove the state that can't be read any more, and what Pulumi noted of its encryption in the config."""
    # The state, by which the loss is known, is deleted last: the next `clean` repeats what is interrupted here.
    git_filter.forget(clone)
    shutil.rmtree(clone.state_folder)
