"""What enters an image from a checkout, and how its build reaches the network, on any user's machine."""

from __future__ import annotations

import base64
import secrets
import shutil
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from cli.images.debian import build
from infra import recipes
from infra.catalogue import NODE, POSTGRES, PYTHON, ROOT, Base
from tests.serving import serving

if TYPE_CHECKING:
    from docker import DockerClient

HIDDEN = "find /srv /usr/local/bin ! -type l ! -perm -004 2>/dev/null | grep -v reports; test -r /srv"
PRIVATE_CA = ".build/ca.crt"
"""With it a build reaches package registries behind a proxy that has a CA of its own."""

LOCKED = ("pyproject.toml", "uv.lock", PRIVATE_CA)
"""What packages are installed from: it enters no image, and with other modes they would all be installed once more."""

TAG = f"dashtam-selftest:{secrets.token_hex(4)}"


@pytest.fixture
def private_checkout(tmp_path: Path) -> Path:
    """What images are built from, with the modes of a umask of 077."""
    root = tmp_path / "checkout"
    for name in ("Dockerfile", ".dockerignore", "pyproject.toml", "uv.lock", "app", "sandbox", "images"):
        ignored = shutil.ignore_patterns("node_modules", "__pycache__")
        source = ROOT / name
        root.mkdir(exist_ok=True)
        shutil.copytree(source, root / name, ignore=ignored) if source.is_dir() else shutil.copy(source, root / name)
    if (ROOT / PRIVATE_CA).exists():
        (root / PRIVATE_CA).parent.mkdir()
        shutil.copy(ROOT / PRIVATE_CA, root / PRIVATE_CA)
    for path in root.rglob("*"):
        if str(path.relative_to(root)) not in LOCKED:
            path.chmod(path.stat().st_mode & 0o700)
    return root


@pytest.fixture
def removed(client: DockerClient) -> Iterator[None]:
    yield
    for image in client.images.list(TAG.partition(":")[0]):
        client.images.remove(image.id or "", force=True)


@pytest.mark.usefixtures("removed")
@pytest.mark.parametrize(("stage", "base"), [("production", PYTHON), ("sandbox", NODE), ("postgres", POSTGRES)])
def test_the_services_user_reads_all_of_an_image(
    client: DockerClient, private_checkout: Path, reference: Callable[[Base], str], stage: str, base: Base
) -> None:
    if stage == "postgres":
        # Its packages are there: only what comes after them is built.
        options = {"path": str(private_checkout / "images/postgres"), "dockerfile": "Only"}
        recipe = (private_checkout / "images/postgres/Dockerfile").read_text()
        copied = recipe[recipe.index("COPY entrypoint") :]
        (private_checkout / "images/postgres/Only").write_text(f"ARG BASE\nFROM $BASE\nUSER root\n{copied}")
        arguments = {"BASE": reference(base)}
    else:
        options = {"path": str(private_checkout), "dockerfile": recipes.RECIPES[stage].dockerfile, "target": stage}
        arguments = {f"{base.name.upper()}_IMAGE": reference(base)}
    image = build(client, "The build failed", lambda _: None, tag=TAG, buildargs=arguments, **options)
    # In the place of the volume that PostgreSQL's image asks for, which would stay behind.
    data = {"/var/lib/postgresql/data": ""}
    listed = client.containers.run(image, ["-c", HIDDEN], entrypoint="sh", user=base.user, tmpfs=data, remove=True)
    assert listed == b""


@dataclass
class Proxy:
    """A proxy that answers for every host, and what it was asked for."""

    address: str = ""
    asked: list[tuple[str, str]] = field(default_factory=list)


@pytest.fixture
def proxy(client: DockerClient) -> Iterator[Proxy]:
    """A logging proxy where containers reach it: at the gateway of the engine's network for builds."""
    found = Proxy()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found.asked.append((self.path, self.headers.get("Proxy-Authorization", "")))
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, *_: object) -> None:
            pass

    # Its IPAM names no gateway before the engine's first restart.
    bridge = client.networks.get("bridge").attrs["Options"]["com.docker.network.bridge.name"]
    gateway = next(one.address for one in psutil.net_if_addrs()[bridge] if one.family == socket.AF_INET)
    with serving(ThreadingHTTPServer((gateway, 0), Handler)) as server:
        found.address = f"{gateway}:{server.server_port}"
        yield found


@pytest.mark.usefixtures("removed")
def test_a_build_goes_through_the_proxy_and_keeps_nothing_of_it(
    client: DockerClient,
    proxy: Proxy,
    reference: Callable[[Base], str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ask = "import urllib.request as r; print(r.urlopen('http://packages.invalid/index').read())"
    (tmp_path / "Dockerfile").write_text(f'FROM {reference(PYTHON)}\nRUN python3 -c "{ask}"\n')
    password = secrets.token_hex(8)
    monkeypatch.setenv("HTTP_PROXY", f"http://me:{password}@{proxy.address}")
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    lines: list[str] = []
    image = build(client, "The build failed", lines.append, path=str(tmp_path), tag=TAG, nocache=True)
    known = base64.b64encode(f"me:{password}".encode()).decode()
    assert proxy.asked == [("http://packages.invalid/index", f"Basic {known}")]
    assert password not in f"{client.images.get(image).history()} {client.images.get(image).attrs} {lines}"
