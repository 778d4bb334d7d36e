"""Runs the test suites inside an environment, in a container on its network."""

from __future__ import annotations

import socket
import sys
import tarfile
import tempfile
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path, PurePosixPath

import docker
from docker.models.containers import Container
from docker.types import Mount

from cli.core.errors import UserError
from cli.engine import streams, temporary_container
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
    with temporary_container.running(
        client,
        naming,
        TESTS,
        outputs.images.tests,
        command,
        network=outputs.network,
        user=PYTHON.user,
        environment={OUTPUTS_VARIABLE: OUTPUTS},
        entrypoint=["sh", "-euc", f'cat > {OUTPUTS}; exec "$@"', "tests"],
        mounts=[Mount(REPORTS, None, type="volume", labels=naming.labels(TESTS))],
        tmpfs={"/tmp": "rw,nosuid,nodev,mode=1777"},  # noqa: S108 - the container's own, in memory
        mem_limit=MEMORY,
    ) as (container, stdin):
        stdin.sendall(outputs.revealed().encode())
        stdin.shutdown(socket.SHUT_WR)
        for chunk in container.logs(stream=True, follow=True):
            sys.stdout.buffer.write(chunk)
            sys.stdout.flush()
        status = int(container.wait()["StatusCode"])
        if reports:
            _keep(client, container, reports)
        return status


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
