"""Runs the test suites inside an environment, in a container on its network."""

from __future__ import annotations

import io
import sys
import tarfile
import tempfile
from collections.abc import Sequence
from contextlib import closing, suppress
from pathlib import Path, PurePosixPath
from typing import Any

import docker
from docker.errors import APIError, NotFound
from docker.models.containers import Container
from docker.types import Mount

from cli.core.errors import UserError
from cli.engine import streams
from cli.engine.container import TESTS
from infra.catalogue import PYTHON
from infra.naming import Naming
from infra.outputs import StackOutputs

OUTPUTS = "/tmp/outputs.json"  # noqa: S108 - the container's own, in memory
OUTPUTS_VARIABLE = "DASHTAM_OUTPUTS_FILE"
REPORTS = "/srv/reports"
"""The folder for reports in the container: a volume, as its memory ends with the process."""
MEMORY = "2g"
STOP_SECONDS = 5


def run(
    client: docker.DockerClient,
    outputs: StackOutputs,
    naming: Naming,
    command: Sequence[str],
    reports: Path | None = None,
) -> int:
    """Run a command in an environment's network, and show what it prints as it prints it.

    The outputs, with their secrets, reach the container through its standard input and stay in its memory.
    """
    if outputs.images.tests is None:
        raise UserError(
            f"{outputs.environment} has no image that runs tests.",
            cause="Its config doesn't ask for one.",
            remedy=f"Add `dashtam:tests: {{image: true}}` to Pulumi.{outputs.environment}.yaml.",
        )
    container = _create(client, outputs, outputs.images.tests, naming, command)
    try:
        _start(container, outputs.revealed().encode())
        for chunk in container.logs(stream=True, follow=True):
            sys.stdout.buffer.write(chunk)
            sys.stdout.flush()
        status = int(container.wait()["StatusCode"])
        if reports:
            _keep(client, container, reports)
        return status
    finally:
        _remove(container)


def _create(
    client: docker.DockerClient, outputs: StackOutputs, image: str, naming: Naming, command: Sequence[str]
) -> Container:
    name = naming.container(TESTS)
    with suppress(NotFound):
        _remove(client.containers.get(name))
    settings: dict[str, Any] = {
        "name": name,
        "labels": naming.labels(TESTS),
        "network": outputs.network,
        "user": PYTHON.user,
        "environment": {OUTPUTS_VARIABLE: OUTPUTS},
        "entrypoint": ["sh", "-euc", f'cat > {OUTPUTS}; exec "$@"', "tests"],
        "read_only": True,
        "mounts": [Mount(REPORTS, None, type="volume", labels=naming.labels(TESTS))],
        "tmpfs": {"/tmp": "rw,nosuid,nodev,mode=1777"},  # noqa: S108 - the container's own, in memory
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges:true"],
        "mem_limit": MEMORY,
        "memswap_limit": MEMORY,
        "init": True,
        "stdin_open": True,
    }
    try:
        return client.containers.create(image, list(command), **settings)
    except APIError as error:
        raise UserError(f"The container {name} can't be made.", cause=str(error.explanation)) from None


def _start(container: Container, document: bytes) -> None:
    connection = container.attach_socket(params={"stdin": 1, "stream": 1})
    container.start()
    stream: Any = getattr(connection, "_sock", connection)
    stream.sendall(document)
    stream.shutdown(1)
    if isinstance(connection, io.IOBase):
        connection.close()


def _keep(client: docker.DockerClient, container: Container, folder: Path) -> None:
    with tempfile.TemporaryFile() as archive:
        with closing(streams.archive(client, container.id or "", REPORTS)) as pieces:
            archive.writelines(pieces)
        archive.seek(0)
        with tarfile.open(fileobj=archive) as files:
            for file in files:
                # Names are the container's: only their last part is taken.
                if file.isfile() and (content := files.extractfile(file)):
                    (folder / PurePosixPath(file.name).name).write_bytes(content.read())


def _remove(container: Container) -> None:
    with suppress(NotFound):
        container.remove(v=True, force=True)
