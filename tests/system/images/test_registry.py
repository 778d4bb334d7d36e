# ruff: noqa: ANN401 - answers of the docker SDK
"""Recording digests and pulling, from a real registry on this machine, and from some that misbehave."""

from __future__ import annotations

import http.server
import json
import re
import secrets
import shutil
import socket
import subprocess
import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from docker.errors import ImageNotFound

from cli.core.errors import UserError
from cli.images import registry as images
from cli.images import source
from cli.images.local import is_local, local_references
from infra.catalogue import REDIS, ImageSource
from tests.serving import serving
from tests.system.running import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from docker import DockerClient

DAMAGE = ["refused", "not found", "broken off", "no digest", "slow"]


@pytest.fixture(scope="session")
def registry_program(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The registry itself, from its package: fetched and unpacked, not installed."""
    if installed := shutil.which("docker-registry"):
        return installed
    if not shutil.which("apt-get"):
        pytest.skip("there is neither docker-registry nor an apt-get to fetch it with")
    folder = tmp_path_factory.mktemp("registry-package")
    folder.chmod(0o755)
    subprocess.run(["apt-get", "download", "docker-registry"], cwd=folder, check=True, capture_output=True)
    subprocess.run(["dpkg", "--extract", next(folder.glob("*.deb")), folder], check=True)
    return str(folder / "usr" / "bin" / "docker-registry")


@pytest.fixture(scope="session")
def registry(registry_program: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A registry on the loopback interface; the engine takes such without TLS."""
    folder = tmp_path_factory.mktemp("registry")
    storage = {"filesystem": {"rootdirectory": str(folder)}}
    config = {"version": "0.1", "log": {"level": "info"}, "storage": storage, "http": {"addr": "127.0.0.1:0"}}
    (folder / "config.yml").write_text(json.dumps(config))
    log = folder / "log"
    with (
        log.open("wb") as written,
        subprocess.Popen([registry_program, "serve", folder / "config.yml"], stdout=written, stderr=written) as process,
    ):
        try:
            yield address(log, process)
        finally:
            process.terminate()


def address(log: Path, process: subprocess.Popen[bytes]) -> str:
    """Return where the registry listens, as its log tells."""
    found: list[str] = []

    def told() -> bool:
        assert process.poll() is None, log.read_text()
        found.extend(re.findall(r"listening on (127\.0\.0\.1:\d+)", log.read_text()))
        return bool(found)

    wait_until(told, "the registry listens")
    return found[0]


@pytest.fixture(scope="session")
def in_registry(client: DockerClient, registry: str, reference: Callable[[Any], str]) -> tuple[str, str]:
    """An image in the registry, and the digest that pushing it told."""
    repository = f"{registry}/dashtam-selftest-{secrets.token_hex(4)}"
    client.api.tag(reference(REDIS), repository, "1")
    events: Any = client.api.push(repository, tag="1", stream=True, decode=True)
    digest = next(event["aux"]["Digest"] for event in events if "Digest" in event.get("aux", {}))
    events.close()
    client.api.remove_image(f"{repository}:1")
    return f"{repository}:1", digest


@pytest.fixture
def pushed(client: DockerClient, in_registry: tuple[str, str]) -> Iterator[tuple[str, str]]:
    """The same, nowhere but there."""
    yield in_registry
    for name in local_references(client):
        if name.startswith(in_registry[0].removesuffix(":1")):
            # Its tag takes its digest along.
            with suppress(ImageNotFound):
                client.api.remove_image(name)


def test_the_registrys_own_digest_is_recorded(client: DockerClient, pushed: tuple[str, str], tmp_path: Path) -> None:
    reference, digest = pushed
    path = tmp_path / "lock.json"
    assert images.record_digests(client, [reference], path) == {reference: digest}
    assert json.loads(path.read_text()) == {reference: digest}


@pytest.mark.parametrize("pinned", [False, True], ids=["tag", "tag and digest"])
def test_an_image_is_pulled_and_found_by_the_reference_that_runs_it(
    client: DockerClient, pushed: tuple[str, str], pinned: bool
) -> None:
    tag, digest = pushed
    reference = f"{tag}@{digest}" if pinned else tag
    assert not is_local(reference, local_references(client))
    news: list[str] = []
    images.pull(client, reference, news.append)
    assert news
    assert is_local(reference, local_references(client))
    # The program finds it by asking the engine for this very name.
    assert client.images.get(reference).id


def test_a_digest_that_the_registry_does_not_have_is_refused(client: DockerClient, pushed: tuple[str, str]) -> None:
    with pytest.raises(UserError) as caught:
        images.pull(client, f"{pushed[0]}@sha256:{'0' * 64}", lambda _: None)
    assert "unknown" in caught.value.cause


def test_a_tag_that_the_registry_does_not_have_is_told(client: DockerClient, registry: str, tmp_path: Path) -> None:
    with pytest.raises(UserError) as caught:
        images.record_digests(client, [f"{registry}/none:1"], tmp_path / "lock.json")
    assert "unknown" in caught.value.cause
    assert not (tmp_path / "lock.json").exists()


@pytest.fixture
def without_official_images(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the official images are here already, no registry is needed."""
    monkeypatch.setattr(source, "local_references", lambda _: frozenset())


@pytest.mark.usefixtures("without_official_images")
def test_a_registry_that_answers_is_the_source(client: DockerClient, pushed: tuple[str, str]) -> None:
    assert source.probe(client, pushed[0]).source is ImageSource.REGISTRY


class Misbehaving(http.server.BaseHTTPRequestHandler):
    """A registry that fails in the way its server was told to."""

    def do_GET(self) -> None:
        damage: Any = self.server
        if damage.kind == "slow":
            damage.released.wait(60)
        if damage.kind in {"broken off", "slow"}:
            self.connection.close()
            return
        found = damage.kind == "no digest" or self.path == "/v2/"
        body = b"{}"
        self.send_response(200 if found else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_HEAD = do_GET  # noqa: N815 - the name that the library calls

    def log_message(self, *_: Any) -> None:
        """Keep the tests' output quiet."""


@pytest.fixture(params=DAMAGE)
def damaged(request: pytest.FixtureRequest) -> Iterator[str]:
    if request.param == "refused":
        # Bound, so that nobody else can listen there.
        with socket.socket() as deaf:
            deaf.bind(("127.0.0.1", 0))
            yield f"127.0.0.1:{deaf.getsockname()[1]}"
        return
    server: Any = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Misbehaving)
    server.daemon_threads, server.kind, server.released = True, request.param, threading.Event()
    server.handle_error = lambda *_: None
    with serving(server):
        yield f"127.0.0.1:{server.server_port}"
        server.released.set()


# Less than the engine's client would wait for an answer by itself.
in_time = pytest.mark.timeout(45)


@in_time
def test_a_registry_that_fails_is_told_and_nothing_is_recorded(
    client: DockerClient, damaged: str, tmp_path: Path
) -> None:
    with pytest.raises(UserError) as caught:
        images.record_digests(client, [f"{damaged}/a:1"], tmp_path / "lock.json", seconds=1)
    assert caught.value.cause
    assert not (tmp_path / "lock.json").exists()


@in_time
@pytest.mark.usefixtures("without_official_images")
def test_a_registry_that_fails_is_not_the_source(client: DockerClient, damaged: str) -> None:
    assert source.probe(client, f"{damaged}/a:1", seconds=1).source is ImageSource.DEBIAN
