"""The environment in which Pulumi, Docker and the tests do this clone's work, in any shell."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

from cli.clone import Clone
from infra import placement


def pulumi_variables(clone: Clone, environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that give Pulumi this clone's state and passphrase.

    A user's own login, backend or passphrase is respected.

    Args:
        clone: This clone.
        environ: The environment as it is.

    Returns:
        Variables to set.
    """
    variables = {
        "DASHTAM_CLONE": clone.id,
        placement.VARIABLE: str(clone.placements_file),
        "PULUMI_SKIP_UPDATE_CHECK": "true",
    }
    if not environ.get("PULUMI_BACKEND_URL") and not logged_in(environ):
        variables["PULUMI_BACKEND_URL"] = clone.backend_url
    if not environ.get("PULUMI_CONFIG_PASSPHRASE") and not environ.get("PULUMI_CONFIG_PASSPHRASE_FILE"):
        variables["PULUMI_CONFIG_PASSPHRASE_FILE"] = str(clone.passphrase_file)
    return variables


def logged_in(environ: Mapping[str, str]) -> str | None:
    """Return the backend that the user chose with `pulumi login`.

    Args:
        environ: The environment as it is.

    Returns:
        Its URL, or None where the user chose none.
    """
    home = Path(environ.get("PULUMI_CREDENTIALS_PATH") or environ.get("PULUMI_HOME") or Path.home() / ".pulumi")
    try:
        return json.loads((home / "credentials.json").read_text()).get("current") or None
    except (OSError, ValueError):
        return None


def changes(variables: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that differ from this process's environment.

    Args:
        variables: The environment to have.

    Returns:
        What a shell must set.
    """
    return {name: value for name, value in variables.items() if os.environ.get(name) != value}
