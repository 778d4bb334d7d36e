"""Engines at real sockets: one that answers, none, one that is not ours, and one that is started."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import BaseRequestHandler, ThreadingUnixStreamServer

import pytest

from cli.core.errors import UserError
from cli.core.paths import ROOT
from cli.engine.connect import Engine, UnreachableError, find_endpoint, find_engine, probe
from cli.engine.endpoint import Endpoint
from cli.machine.engine_start import start_dockerd, wait_for_engine
from cli.machine.setup import require_engine
from tests.serving import serving

NOBODY = 65534


def endpoint(path: Path, *, chosen: bool = False) -> Endpoint:
    return Endpoint(f"unix://{path}", "test", chosen=chosen)


class _Engine(BaseHTTPRequestHandler):
    """Answers the two questions that are asked of an engine."""

    def do_GET(self) -> None:
        content = b'{"Version": "27.5.1", "ApiVersion": "1.41"}'
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def address_string(self) -> str:
        return "unix"

    def log_message(self, *_arguments: object) -> None:
        """Keep quiet."""


class _SomethingElse(BaseRequestHandler):
    """Greets as a mail server does."""

    def handle(self) -> None:
        self.request.sendall(b"220 mail.example ESMTP\r\n")


@pytest.fixture
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with a path short enough for a socket."""
    path = Path(f"/tmp/d{os.getpid()}-{tmp_path_factory.mktemp('x').name}")  # noqa: S108
    path.mkdir()
    yield path
    shutil.rmtree(path)


@pytest.fixture
def engine_socket(folder: Path) -> Iterator[Path]:
    path = folder / "docker.sock"
    with serving(ThreadingUnixStreamServer(str(path), _Engine)):
        yield path


def test_one_that_answers(engine_socket: Path) -> None:
    engine = probe(endpoint(engine_socket))
    assert engine == Engine(endpoint(engine_socket), "27.5.1")


def test_the_first_that_answers_is_taken(engine_socket: Path, folder: Path) -> None:
    found = find_engine([endpoint(folder / "none.sock"), endpoint(engine_socket)])
    assert found.endpoint.host == f"unix://{engine_socket}"


def test_none(folder: Path) -> None:
    with pytest.raises(UnreachableError, match="No such file or directory"):
        find_engine([endpoint(folder / "none.sock")])


def test_something_else_that_listens(folder: Path) -> None:
    with (
        serving(ThreadingUnixStreamServer(str(folder / "else.sock"), _SomethingElse)),
        pytest.raises(UnreachableError),
    ):
        probe(endpoint(folder / "else.sock"))


def test_one_that_is_not_for_this_user(engine_socket: Path) -> None:
    root = os.geteuid() == 0
    engine_socket.chmod(0o600 if root else 0)
    program = (
        "import os, sys; from cli.machine import engine_setup; from cli.machine.setup import require_engine\n"
        "from cli.core.errors import UserError\n"
        + (f"os.setgid({NOBODY}); os.setuid({NOBODY})\n" if root else "")
        + "try: require_engine(install=True)\n"
        "except UserError as error: print(error.message, error.cause, error.remedy, sep='\\n')\n"
    )
    environment = {**os.environ, "DOCKER_HOST": f"unix://{engine_socket}", "DASHTAM_CACHE_HOME": "/nonexistent"}
    answer = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert answer.returncode == 0, answer.stderr
    message, cause, remedy = answer.stdout.splitlines()
    assert message == f"You may not use the Docker engine at unix://{engine_socket}."
    assert cause.endswith("permission denied")
    assert "usermod -aG docker" in remedy


def test_an_engine_that_was_chosen_is_never_replaced(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DASHTAM_CACHE_HOME", str(folder / "cache"))
    monkeypatch.setenv("DOCKER_HOST", f"unix://{folder}/gone.sock")
    with pytest.raises(UserError, match="that you chose by DOCKER_HOST doesn't answer"):
        require_engine(install=True)


def test_the_last_one_is_remembered_as_long_as_it_listens(
    engine_socket: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DASHTAM_CACHE_HOME", str(folder / "cache"))
    monkeypatch.setenv("DOCKER_HOST", f"unix://{engine_socket}")
    first = find_endpoint()
    monkeypatch.setattr("cli.engine.connect.find_engine", lambda _: pytest.fail("asked again"))
    assert find_endpoint() == first
    monkeypatch.undo()
    monkeypatch.setenv("DASHTAM_CACHE_HOME", str(folder / "cache"))
    monkeypatch.setenv("DOCKER_HOST", f"unix://{folder}/gone.sock")
    with pytest.raises(UnreachableError):
        find_endpoint()


def _small(folder: Path) -> list[str]:
    return [sys.executable, str(ROOT / "tests/system/toolchain/data/engine.py.txt"), f"{folder}/docker.sock"]


def _dockerd(folder: Path) -> list[str]:
    if not shutil.which("dockerd") or os.geteuid() != 0:
        pytest.skip("to start dockerd needs dockerd on PATH, and root")
    places = [f"--{name}={folder / name}" for name in ("data-root", "exec-root", "pidfile")]
    # Without a bridge it removes docker0, the running engine's: it gets a network of its own.
    alone = ["unshare", "--net", "dockerd", "--bridge=none", "--iptables=false"]
    return [*alone, "-H", f"unix://{folder}/docker.sock", *places]


@pytest.mark.parametrize("command", [_small, _dockerd])
def test_an_engine_started_directly(folder: Path, command: Callable[[Path], list[str]]) -> None:
    daemon = start_dockerd(command(folder), folder / "log")
    try:
        engine = wait_for_engine(endpoint(folder / "docker.sock"), daemon, timeout=60)
        assert engine.version
        assert os.getsid(daemon.pid) == daemon.pid, "it must outlive this command's terminal"
    finally:
        daemon.end()


def test_an_engine_that_ends_at_once_shows_its_log(folder: Path) -> None:
    daemon = start_dockerd(["sh", "-c", "seq 100; echo no iptables here >&2; exit 1"], folder / "log")
    with pytest.raises(UnreachableError, match="it ended at once; the end of its log:") as raised:
        wait_for_engine(endpoint(folder / "docker.sock"), daemon, timeout=30)
    assert str(raised.value).endswith("100\nno iptables here")
    assert "\n80\n" not in str(raised.value)


def test_an_engine_that_never_answers_is_given_up_and_ended(folder: Path) -> None:
    daemon = start_dockerd(["sleep", "600"], folder / "log")
    with pytest.raises(UnreachableError, match="no answer within 0 s"):
        wait_for_engine(endpoint(folder / "docker.sock"), daemon, timeout=0.3)
    assert daemon.ended()
