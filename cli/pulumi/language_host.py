"""Language hosts that Pulumi is given: what it starts itself lists the installed packages before anything else.

The program's own is started before Pulumi, so that the program is imported meanwhile. `destroy` runs no program.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

GRACE = 5.0
"""Seconds in which a host ends when nobody needs it any more."""


@dataclass(frozen=True)
class LanguageHost:
    """A host that has been started. It ends when nobody holds `lifeline` open any more."""

    lifeline: int
    answers: IO[str]

    def flags(self) -> list[str]:
        """Return how Pulumi is told of it: nothing if it has failed to start, as Pulumi's own host reports why."""
        port = self.answers.readline().strip()
        return [_flag(port)] if port else []


@contextmanager
def started(environ: Mapping[str, str], root: Path) -> Iterator[LanguageHost]:
    """Start a host for one update."""
    process = subprocess.Popen(
        [sys.executable, "-m", "infra.language_host"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,  # it outlives a command that is killed, as the update does
        cwd=root,
        env=dict(environ),
    )
    if process.stdin is None or process.stdout is None:
        raise AssertionError("pipes were asked for")
    try:
        yield LanguageHost(process.stdin.fileno(), process.stdout)
    finally:
        process.stdin.close()
        process.stdout.close()
        try:
            process.wait(GRACE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def without_program() -> Iterator[str]:
    """Run a host for `destroy` in this process; return how Pulumi is told of it."""
    import grpc  # type: ignore[import-untyped]  # noqa: PLC0415 - slow to import

    # An empty message of any type: no version, and no package beside those that the state names.
    empty = grpc.unary_unary_rpc_method_handler(lambda request, context: b"")  # noqa: ARG005 - gRPC's
    methods = dict.fromkeys(("GetPluginInfo", "GetRequiredPackages"), empty)
    server = grpc.server(ThreadPoolExecutor(max_workers=1))
    server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler("pulumirpc.LanguageRuntime", methods)])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield _flag(port)
    finally:
        server.stop(None)


def _flag(port: int | str) -> str:
    return f"--client=127.0.0.1:{port}"
