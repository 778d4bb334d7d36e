"""A release host on this machine, an empty cache, and Go."""

from __future__ import annotations

import os
import ssl
import subprocess
from typing import TYPE_CHECKING

import pytest

from cli.machine.go import fetch_go, find_go
from cli.machine.toolchain import Versions, read_versions
from tests.serving import serving
from tests.system.toolchain.release_host import VERSION, Handler, ReleaseHost, Server, make_archive, make_certificate

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="session")
def go() -> Path:
    """The Go that the toolchain is built with on this machine."""
    return find_go(read_versions()) or fetch_go(read_versions())


@pytest.fixture(scope="session")
def go_cache(go: Path) -> str:
    """What Go has compiled before, found before a test moves the home."""
    answer = subprocess.run([go, "env", "GOCACHE"], env=os.environ, capture_output=True, text=True, check=True)
    return answer.stdout.strip()


@pytest.fixture
def release_host(tmp_path: Path) -> Iterator[ReleaseHost]:
    """A host that serves a release whose `pulumi` says the right version and installs any plugin."""
    script = (
        f'#!/bin/sh\nif [ "$1" = version ]; then echo v{VERSION}; exit; fi\n'
        'folder="$PULUMI_HOME/plugins/resource-$4-v$5"\nmkdir -p "$folder" && : > "$folder/pulumi-resource-$4"\n'
    )
    host = ReleaseHost(make_archive(script.encode() + b"# padding " * 40_000))
    folder = tmp_path / "host"
    folder.mkdir()
    host.ca, pair = make_certificate(folder)
    handler = type("BoundHandler", (Handler,), {"host": host})
    server = Server(("127.0.0.1", 0), handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair)
    # The handshake is the handler thread's work, so that a client that stalls stops nobody else.
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    host.url = f"https://127.0.0.1:{server.server_port}"
    with serving(server):
        try:
            yield host
        finally:
            host.stopping.set()


@pytest.fixture
def versions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, go: Path, go_cache: str) -> Versions:
    """An empty cache, and no Pulumi on PATH."""
    monkeypatch.setenv("GOCACHE", go_cache)
    monkeypatch.setenv("DASHTAM_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", f"{go.parent}:/usr/bin:/bin")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("PULUMI_HOME", raising=False)
    return read_versions()
