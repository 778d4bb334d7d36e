# ruff: noqa: ANN401 - options and fixtures pass through to the docker SDK
"""Runs containers of the base images as the environments run them, and removes each by its id."""

from __future__ import annotations

import datetime
import io
import secrets
import subprocess
import tarfile
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from cli.engine.connect import connect
from cli.images import build, source
from infra.catalogue import ALL, BASES, Base, ImageSource

if TYPE_CHECKING:
    from docker import DockerClient
    from docker.models.containers import Container
    from docker.models.volumes import Volume

LABELS = {"dashtam.selftest": "images"}
Run = Callable[..., "Container"]
Files = Callable[..., "Volume"]


@pytest.fixture(scope="session")
def client() -> Iterator[DockerClient]:
    engine = connect()
    yield engine
    engine.close()


@pytest.fixture(scope="session")
def image_source(client: DockerClient) -> ImageSource:
    """This machine's source; its images are made if they aren't here."""
    found = source.decide(client)
    build.ensure(client, found, bases=ALL)
    return found


@pytest.fixture(scope="session")
def reference(image_source: ImageSource) -> Callable[[Base], str]:
    return lambda base: base.reference(image_source)


@pytest.fixture(params=ALL, ids=lambda base: base.name)
def base(request: pytest.FixtureRequest) -> Base:
    found: Base = request.param
    return found


@pytest.fixture(scope="module")
def volume(client: DockerClient) -> Iterator[Callable[[], Volume]]:
    made: list[Volume] = []

    def create() -> Volume:
        made.append(client.volumes.create(f"dashtam-selftest-{secrets.token_hex(4)}", labels=LABELS))
        return made[-1]

    yield create
    for one in made:
        one.remove(force=True)


@pytest.fixture(scope="module")
def run(client: DockerClient, volume: object, reference: Callable[[Base], str]) -> Iterator[Run]:
    """Start a hardened container; the volumes outlive it, so that they can be removed after it."""
    del volume
    made: list[Container] = []

    def start(base: Base, command: list[str] | None = None, **options: Any) -> Container:
        settings: dict[str, Any] = {
            "name": f"dashtam-selftest-{secrets.token_hex(4)}",
            "labels": LABELS,
            "user": base.user,
            "read_only": True,
            "cap_drop": ["ALL"],
            "security_opt": ["no-new-privileges:true"],
            "network_mode": "none",
            "init": True,
            "tmpfs": {"/tmp": "", "/var/run/postgresql": "uid=70,gid=70,mode=0700"},  # noqa: S108 - in the container
        }
        made.append(client.containers.create(reference(base), command, **{**settings, **options}))
        made[-1].start()
        return made[-1]

    yield start
    for container in made:
        container.remove(force=True, v=True)


@pytest.fixture(scope="module")
def files(client: DockerClient, volume: Callable[[], Volume], reference: Callable[[Base], str]) -> Files:
    """Make a volume that holds files, each with its owner, mode 0400."""

    def create(user: str, content: dict[str, str]) -> Volume:
        made = volume()
        uid, _, gid = user.partition(":")
        archive = io.BytesIO()
        with tarfile.open(fileobj=archive, mode="w") as tar:
            for name, text in content.items():
                entry = tarfile.TarInfo(name)
                entry.size, entry.mode, entry.uid, entry.gid = len(text.encode()), 0o400, int(uid), int(gid)
                tar.addfile(entry, io.BytesIO(text.encode()))
        # Never started: the engine itself puts the files into the volume.
        carrier = client.containers.create(reference(BASES[0]), volumes=[f"{made.name}:/files"], labels=LABELS)
        try:
            carrier.put_archive("/files", archive.getvalue())
        finally:
            carrier.remove(v=True)
        return made

    return create


@pytest.fixture(scope="session")
def until() -> Callable[[Callable[[], bool], Container], None]:
    """Wait until something holds, while the container runs; a failure shows its log."""

    def wait(holds: Callable[[], bool], container: Container, seconds: float = 60) -> None:
        end = time.monotonic() + seconds
        while not holds():
            container.reload()
            alive = container.status == "running" and time.monotonic() < end
            assert alive, f"{container.status}: {container.logs(tail=30).decode()}"
            time.sleep(0.05)

    return wait


@pytest.fixture(scope="session")
def certificate() -> tuple[str, str]:
    """A certificate for localhost that is its own authority, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder(
            name, name, key.public_key(), x509.random_serial_number(), now, now + datetime.timedelta(1)
        )
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return made.public_bytes(serialization.Encoding.PEM).decode(), pem.decode()


@pytest.fixture(scope="session")
def until_gone() -> Callable[[str], None]:
    """Wait until no process has some text among its arguments."""

    def running(text: str) -> bool:
        found = subprocess.run(["pgrep", "--full", text], capture_output=True, check=False)
        # Any other status is an error of pgrep's own.
        assert found.returncode in {0, 1}, found.stderr
        return found.returncode == 0

    def wait(text: str, seconds: float = 10) -> None:
        end = time.monotonic() + seconds
        while running(text):
            assert time.monotonic() < end, f"processes with {text} are left"
            time.sleep(0.05)

    return wait
