from __future__ import annotations

import datetime
import ipaddress
import json
import os
import ssl
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from tests.processes.sandbox import node as machine
from tests.processes.sandbox.provider import CLIENT, ISSUER, REDIRECT, SECRET, Person, Running
from tests.processes.sandbox.store import LOOPBACK, Store

Environ = dict[str, str]
Start = Callable[[Environ], "subprocess.Popen[str]"]


def pem(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> str:
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    return key.private_bytes(encoding, form, serialization.NoEncryption()).decode()


def certificate(key: ec.EllipticCurvePrivateKey) -> str:
    """Return a certificate for this machine that is its own authority."""
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    made = (
        x509.CertificateBuilder(
            name, name, key.public_key(), x509.random_serial_number(), now, now + datetime.timedelta(1)
        )
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(key, hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.PEM).decode()


@pytest.fixture(scope="session")
def node() -> Path:
    """Node, with the sandbox's packages in place."""
    found, npm = machine.find()
    machine.install_packages(npm)
    return found


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> Environ:
    """The files that the program gives a sandbox, by the settings that name them."""
    folder = tmp_path_factory.mktemp("sandbox")
    key = ec.generate_private_key(ec.SECP256R1())
    files = {
        "TLS_CERTIFICATE_FILE": certificate(key),
        "TLS_KEY_FILE": pem(key),
        "CLIENT_SECRET_FILE": SECRET,
        "COOKIE_KEY_FILE": "a key for cookies",
        "SIGNING_KEY_FILE": pem(rsa.generate_private_key(65537, 2048)),
        "REDIS_PASSWORD_FILE": "a password",
    }
    for name, content in files.items():
        (folder / name).write_text(f"{content}\n")
    return {**{name: str(folder / name) for name in files}, "TLS_CA_FILE": str(folder / "TLS_CERTIFICATE_FILE")}


@pytest.fixture(scope="session")
def open_store(files: Environ) -> Iterator[Callable[[], Store]]:
    """Open stores; they end with the tests."""
    with ExitStack() as ending:

        def opened() -> Store:
            tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            tls.load_cert_chain(files["TLS_CERTIFICATE_FILE"], files["TLS_KEY_FILE"])
            store = Store(tls)
            ending.callback(store.ends)
            return store

        yield opened


@pytest.fixture
def store(open_store: Callable[[], Store]) -> Store:
    """A store of the test's own."""
    return open_store()


def given(files: Environ, store: Store) -> Environ:
    """Return what the program gives a sandbox."""
    return {
        **files,
        "SANDBOX_ALLOWED": "true",
        "PORT": "0",
        "ISSUER": ISSUER,
        "CLIENT_ID": CLIENT,
        "REDIRECT_URI": REDIRECT,
        "REDIS_HOST": LOOPBACK,
        "REDIS_PORT": str(store.port),
        "REDIS_DB": "3",
        "REDIS_USER": "sandbox",
    }


@pytest.fixture(scope="session")
def environ(files: Environ, open_store: Callable[[], Store]) -> Environ:
    """What the program gives a sandbox, with a store that all tests share."""
    return given(files, open_store())


@pytest.fixture(scope="session")
def start(node: Path) -> Iterator[Start]:
    """Start servers; what still runs at the end is stopped."""
    started: list[subprocess.Popen[str]] = []

    def launch(environ: Environ) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [node, machine.SERVER],
            env={"PATH": os.environ["PATH"], **environ},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield launch
    for process in started:
        process.terminate()
        process.communicate(timeout=20)


def awaited(process: subprocess.Popen[str], environ: Environ) -> Running:
    """Wait until a server listens."""
    assert process.stdout
    assert process.stderr
    for line in process.stdout:
        if line.startswith("{") and (said := json.loads(line))["event"] == "listening":
            return Running(process, said["port"], ssl.create_default_context(cafile=environ["TLS_CA_FILE"]))
    raise AssertionError(process.stderr.read())


@pytest.fixture(scope="session")
def running(start: Start, environ: Environ) -> Running:
    """A server that all tests share: authorizations don't meet."""
    return awaited(start(environ), environ)


@pytest.fixture
def meet() -> Iterator[Callable[[Running], Person]]:
    """Meet people, each with a browser of their own."""
    with ExitStack() as leaving:

        def somebody(running: Running) -> Person:
            person = Person(running)
            leaving.callback(person.leaves)
            return person

        yield somebody


@pytest.fixture
def person(meet: Callable[[Running], Person], running: Running) -> Person:
    return meet(running)
