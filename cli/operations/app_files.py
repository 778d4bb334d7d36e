"""What the app needs to run on this computer, as in an editor, instead of in its container."""

from __future__ import annotations

import io
import tarfile
from contextlib import closing
from pathlib import PurePosixPath

import docker

from cli.core.atomic_files import PRIVATE, private_folder, replacing
from cli.engine import streams
from cli.environments.clone import Clone
from infra.naming import MOUNT, Naming
from infra.outputs import StackOutputs

PROVIDERS = "providers.json"


def install(client: docker.DockerClient, clone: Clone, naming: Naming, outputs: StackOutputs) -> dict[str, str]:
    """Write the files that the app reads to the clone's home, for this user alone, and return its variables.

    They are empty where the app runs, or isn't meant to be reached from here.
    """
    if not outputs.app_environment:
        return {}
    folder = private_folder(clone.home / "app" / outputs.environment)
    # Its installer has ended, and keeps the volume mounted.
    container = f"{naming.container('app')}-files"
    with closing(streams.archive(client, container, MOUNT)) as pieces:
        files = _files(b"".join(pieces))
    for name, content in files.items():
        with replacing(folder / name, PRIVATE) as file:
            file.write(_reachable(content, outputs) if name == PROVIDERS else content)
    return {name: value.replace(MOUNT, str(folder)) for name, value in outputs.app_environment.items()}


def _files(archive: bytes) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(archive)) as files:
        # Only the last part of a name is taken.
        return {
            PurePosixPath(one.name).name: content.read()
            for one in files
            if one.isfile() and (content := files.extractfile(one))
        }


def _reachable(providers: bytes, outputs: StackOutputs) -> bytes:
    """Replace the sandbox's origin in its network by its published one."""
    inside, outside = outputs.internal_urls.sandbox, outputs.urls.sandbox
    return providers.replace(inside.encode(), outside.encode()) if inside and outside else providers
