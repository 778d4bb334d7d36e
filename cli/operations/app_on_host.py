"""What the app needs to run on this machine, as in an editor, instead of in its container."""

from __future__ import annotations

import json
import shutil
from contextlib import suppress
from pathlib import Path

from cli.core.atomic_files import PRIVATE, private_folder, replacing
from cli.environments.clone import Clone
from infra.outputs import StackOutputs


def variables(clone: Clone, outputs: StackOutputs) -> dict[str, str]:
    """Write the app's certificates and secrets to files in the clone's home that only this user reads.

    Returns:
        The variables of the app's servers, with the files' paths; none where the app runs or can't run here.
    """
    if outputs.app_on_host is None:
        return {}
    document = json.loads(outputs.app_on_host.get_secret_value())
    folder = private_folder(_folder(clone, outputs.environment))
    paths = {name: folder / name.removesuffix("_FILE").lower() for name in document["files"]}
    for name, path in paths.items():
        with replacing(path, PRIVATE) as file:
            file.write(document["files"][name].encode())
    return {**document["variables"], **{name: str(path) for name, path in paths.items()}}


def forget(clone: Clone, environment: str) -> None:
    """Delete the files of an environment that was destroyed."""
    with suppress(FileNotFoundError):
        shutil.rmtree(_folder(clone, environment))


def _folder(clone: Clone, environment: str) -> Path:
    return clone.home / "app" / environment
