"""Pulumi's language host for this program alone, which imports it while Pulumi starts: `python -m infra.language_host`.

`./dashtam` gives its address to `pulumi up --client`. The host that Pulumi starts itself runs the program by the same
script, but lists the installed packages first, and starts Python after that.
"""

from __future__ import annotations

import gc
import json
import os
import queue
import runpy
import shutil
import sys
import threading
from concurrent.futures import Future, ThreadPoolExecutor

import grpc  # type: ignore[import-untyped]
from pulumi.runtime.proto import language_pb2 as language
from pulumi.runtime.proto import plugin_pb2 as plugin
from pulumi.runtime.proto.language_pb2_grpc import LanguageRuntimeServicer, add_LanguageRuntimeServicer_to_server

SCRIPT = "pulumi-language-python-exec"
"""Pulumi's own, beside `pulumi`: it configures the SDK, runs the program and reports what it raises."""

ERROR_WAS_SHOWN = 32
"""The script's exit status where Pulumi has nothing to add to what the program has logged."""


class LanguageHost(LanguageRuntimeServicer):
    """Passes requests to run the program to the main thread, where it runs as it does under Pulumi's own host."""

    def __init__(self) -> None:
        self.requests: queue.Queue[tuple[language.RunRequest, Future[language.RunResponse]]] = queue.Queue()

    def GetPluginInfo(self, request: object, context: object) -> plugin.PluginInfo:  # noqa: ARG002, N802 - gRPC's
        """Answer."""
        return plugin.PluginInfo()

    def GetRequiredPackages(  # noqa: N802
        self,
        request: object,  # noqa: ARG002
        context: object,  # noqa: ARG002
    ) -> language.GetRequiredPackagesResponse:
        """Name none: each resource says which plugin it needs."""
        return language.GetRequiredPackagesResponse()

    def Run(self, request: language.RunRequest, context: object) -> language.RunResponse:  # noqa: ARG002, N802
        """Run the program to its end."""
        ended: Future[language.RunResponse] = Future()
        self.requests.put((request, ended))
        return ended.result()


def run(request: language.RunRequest) -> language.RunResponse:
    """Run the program by Pulumi's script in this process."""
    script = shutil.which(SCRIPT)
    if script is None:
        return language.RunResponse(error=f"{SCRIPT} is not on PATH")
    os.environ["PULUMI_CONFIG"] = json.dumps(dict(request.config))
    os.environ["PULUMI_CONFIG_SECRET_KEYS"] = json.dumps(list(request.configSecretKeys))
    options = {
        "monitor": request.monitor_address,
        "engine": request.args[0],
        "project": request.project,
        "root_directory": request.info.root_directory,
        "stack": request.stack,
        "pwd": request.pwd,
        "dry_run": str(request.dryRun).lower(),
        "parallel": str(request.parallel),
        "organization": request.organization,
    }
    sys.argv = [script, *(f"--{name}={value}" for name, value in options.items()), request.info.program_directory]
    try:
        runpy.run_path(script, run_name="__main__")
    except SystemExit as end:
        if end.code == ERROR_WAS_SHOWN:
            return language.RunResponse(bail=True)
        if end.code:
            return language.RunResponse(error=f"The program ended with exit status {end.code}.")
    return language.RunResponse()


def _end_with_callers() -> None:
    """End this process once standard input is closed: both `./dashtam` and Pulumi hold it open."""
    sys.stdin.buffer.read()
    os._exit(0)


def import_program() -> None:
    """Import what the program needs, and spare it what only takes time."""
    gc.disable()  # nothing that an update makes is worth looking for

    import docker  # noqa: F401, PLC0415 - the port comes first; the program imports it when it runs
    import pulumi  # noqa: PLC0415

    import infra.environment  # noqa: F401, PLC0415

    # The SDK waits for an answer to each of its debug messages, five a resource. Plain `pulumi up --debug` shows them.
    pulumi.log.debug = _ignore


def _ignore(*message: object, **options: object) -> None:
    """Take a debug message, and drop it."""


def main() -> None:
    """Print the port, import the program, and run it when asked."""
    server, host = grpc.server(ThreadPoolExecutor()), LanguageHost()
    add_LanguageRuntimeServicer_to_server(host, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(port, flush=True)  # noqa: T201 - for who started it
    ends = threading.Thread(target=_end_with_callers)
    ends.start()
    import_program()
    while True:
        request, ended = host.requests.get()
        ended.set_result(run(request))


if __name__ == "__main__":
    main()
