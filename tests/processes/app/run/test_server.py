"""Real processes of the callback server, the lighter of the two, on a port of their own."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx2
import psutil
import pytest
from starlette.applications import Starlette
from starlette.routing import Route
from uvicorn.config import STARTUP_FAILURE

import app
from app.callback.app import health
from app.core.settings import CallbackSettings
from app.http.middleware import HEADERS
from app.run import proxied, server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.certificates import Authority

TIMEOUT = 90.0
"""Seconds after which a process that should have answered counts as broken, even on a busy machine."""

ROOT = str(Path(app.__file__).parents[1])

LIFESPAN = """
async def lifespan(receive, send):
    while True:
        kind = (await receive())["type"]
        await send({"type": kind + ".complete"})
        if kind == "lifespan.shutdown":
            return
"""
"""What the apps below do at their start and end."""

SLOW = """
import asyncio
from app.core import settings
from app.run import server

async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        return await lifespan(receive, send)
    print("received", flush=True)
    await asyncio.sleep(0.5)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"whole answer"})

async def main(sockets):
    await server.serve(app, settings.load(settings.CallbackSettings), 0, sockets)

server.run(main, None)
"""

UNDER_WAY = """
import asyncio, socket
from app.core import settings
from app.core.in_flight import InFlight
from app.run import server

in_flight = InFlight()

async def store():
    print("received", flush=True)
    await asyncio.sleep(1.5)
    print("stored", flush=True)

async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        return await lifespan(receive, send)
    await in_flight.join("link", store)

async def main(sockets):
    try:
        await server.serve(app, settings.load(settings.CallbackSettings), 0, sockets)
    finally:
        await in_flight.settle()

server.run(main, [socket.create_server(("127.0.0.1", 0))])
"""

BOTH = """
from starlette.applications import Starlette
from starlette.routing import Route
from app.callback.app import create_callback, health
from app.core import logs, settings
from app.run import server

async def main(sockets):
    logs.configure(debug=True)
    loaded = settings.load(settings.CallbackSettings)
    beside = Starlette(routes=[Route("/health", health)])
    async with server.serve_internal(beside, loaded, SECOND, None):
        await server.serve(create_callback(loaded), loaded, 0, sockets)

server.run(main, None)
"""


@pytest.fixture
def environment(tls_environment: dict[str, str]) -> dict[str, str]:
    """The variables of a callback server that listens on a port that the system gives it."""
    urls = {"APP_URL": "https://app:8000", "PUBLIC_URL": "https://app:8000"}
    return {**tls_environment, **urls, "PYTHONPATH": ROOT, "DEBUG": "true", "CALLBACK_PORT": "0"}


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A copy of the service's source, with what Python has compiled of it."""
    copy = tmp_path / "app"
    shutil.copytree(Path(app.__file__).parent, copy)
    return copy


@pytest.fixture
def client(authority: Authority) -> Iterator[httpx2.Client]:
    tls = ssl.create_default_context(cafile=authority.ca_file)
    # No idle connection stays: the server would wait for this process to close it.
    with httpx2.Client(verify=tls, trust_env=False, headers={"Connection": "close"}) as client:
        yield client


class Process(subprocess.Popen[bytes]):
    """A process whose output goes to a file."""

    log: Path

    def says(self, text: str) -> Callable[[], bool]:
        return lambda: text in self.log.read_text()

    def urls(self, count: int = 1) -> list[str]:
        """Wait until it listens on as many ports, and return the addresses there."""
        found: set[int] = set()

        def listening() -> bool:
            assert self.poll() is None, self.log.read_text()
            found.update(one.laddr.port for one in self._listeners())
            return len(found) >= count

        eventually(listening)
        return [f"https://localhost:{port}" for port in sorted(found)]

    def addresses(self) -> set[str]:
        """Return where it listens."""
        return {one.laddr.ip for one in self._listeners()}

    def _listeners(self) -> list[Any]:
        return [one for one in psutil.Process(self.pid).net_connections("tcp4") if one.status == "LISTEN"]


@contextlib.contextmanager
def running(command: list[str], environment: dict[str, str], folder: Path) -> Iterator[Process]:
    """Run Python in a session of its own, so that no child outlives the test."""
    with (folder / "log").open("w") as log:
        process = Process(
            [sys.executable, *command], env=environment, cwd=folder, stdout=log, stderr=log, start_new_session=True
        )
    process.log = folder / "log"
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def eventually(condition: Callable[[], bool]) -> float:
    """Wait until something holds; return the seconds that it took."""
    start = time.monotonic()
    while not condition():
        assert time.monotonic() - start < TIMEOUT
        time.sleep(0.02)
    return time.monotonic() - start


def answers(client: httpx2.Client, url: str, status: str) -> Callable[[], bool]:
    def ask() -> bool:
        try:
            return bool(client.get(url).json() == {"status": status})
        except (httpx2.TransportError, ValueError):
            return False

    return ask


def contains(client: httpx2.Client, url: str, text: str) -> Callable[[], bool]:
    def ask() -> bool:
        try:
            return text in client.get(url).text
        except httpx2.TransportError:
            return False

    return ask


def test_a_request_in_flight_is_answered_before_the_end(
    environment: dict[str, str], client: httpx2.Client, tmp_path: Path
) -> None:
    with running(["-c", LIFESPAN + SLOW], environment, tmp_path) as process:
        (url,) = process.urls()
        with ThreadPoolExecutor(1) as pool:
            answer = pool.submit(client.get, url, timeout=TIMEOUT)
            eventually(process.says("received"))
            process.send_signal(signal.SIGTERM)
            assert answer.result(TIMEOUT).text == "whole answer"
        assert process.wait(TIMEOUT) == 0


def test_what_is_under_way_is_finished_before_a_reload(
    environment: dict[str, str], client: httpx2.Client, tmp_path: Path
) -> None:
    with running(["-c", LIFESPAN + UNDER_WAY], environment, tmp_path) as process:
        (url,) = process.urls()
        with ThreadPoolExecutor(1) as pool:
            pool.submit(client.get, url, timeout=TIMEOUT)
            eventually(process.says("received"))
            process.send_signal(signal.SIGTERM)  # as the reloader does; a request has a second then
            assert process.wait(TIMEOUT) == 0
    assert process.says("stored")()


def test_two_servers_in_one_process_end_together(
    environment: dict[str, str], client: httpx2.Client, tmp_path: Path
) -> None:
    code = BOTH.replace("SECOND", "0")
    with running(["-c", code], environment, tmp_path) as process:
        first, second = process.urls(2)
        eventually(answers(client, f"{first}/health", "ok"))
        eventually(answers(client, f"{second}/health", "ok"))
        process.send_signal(signal.SIGTERM)
        assert process.wait(TIMEOUT) == 0
    assert process.log.read_text().count("Finished server process") == 2
    assert not process.says("Traceback")()


def test_told_to_stop_it_is_unready_at_once_and_serves_on(
    environment: dict[str, str], authority: Authority, tmp_path: Path
) -> None:
    drain = {"DRAIN_SECONDS": "2"}
    keeping = httpx2.Client(verify=ssl.create_default_context(cafile=authority.ca_file), trust_env=False)
    with keeping, running(["-m", "app.run.callback"], {**environment, **drain}, tmp_path) as process:
        (url,) = process.urls()
        eventually(answers(keeping, f"{url}/ready", "ready"))
        process.send_signal(signal.SIGTERM)
        answered = []
        while (ready := keeping.get(f"{url}/ready")).status_code == 200:
            answered.append(keeping.get(f"{url}/health").status_code)
        assert ready.json()["checks"] == {"process": {"status": "failed", "reason": "draining"}}
        assert {name: ready.headers[name] for name in HEADERS} == HEADERS
        for _ in range(20):
            alive = keeping.get(f"{url}/health")
            answered.append(alive.status_code)
            assert alive.headers["Connection"] == "close"
        assert {*answered} == {200}
        assert process.wait(TIMEOUT) == 0
    assert "Traceback" not in process.log.read_text()


def test_a_second_signal_ends_the_drain(environment: dict[str, str], client: httpx2.Client, tmp_path: Path) -> None:
    drain = {"DRAIN_SECONDS": "3600"}
    with running(["-m", "app.run.callback"], {**environment, **drain}, tmp_path) as process:
        (url,) = process.urls()
        eventually(answers(client, f"{url}/ready", "ready"))
        process.send_signal(signal.SIGTERM)
        eventually(lambda: client.get(f"{url}/ready").status_code == 503)
        process.send_signal(signal.SIGTERM)
        assert process.wait(TIMEOUT) == 0


def test_what_is_behind_an_edge_serves_it_at_another_port_and_ends_when_told_to_stop(
    environment: dict[str, str], client: httpx2.Client, authority: Authority, tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as chosen:
        edge = chosen.getsockname()
    environ = {**environment, "EDGE_PORT": str(edge[1])}
    with running(["-m", "app.run.callback"], environ, tmp_path) as process:
        [url] = [one for one in process.urls(2) if not one.endswith(f":{edge[1]}")]
        eventually(answers(client, f"{url}/health", "ok"))
        context = ssl.create_default_context(cafile=str(authority.ca_file))
        with (
            socket.create_connection(edge, timeout=TIMEOUT) as plain,
            contextlib.suppress(ConnectionResetError),
        ):
            plain.sendall(proxied.HEAD.pack(proxied.SIGNATURE, 0x20, 0, 0))
            with context.wrap_socket(plain, server_hostname="localhost") as encrypted:
                encrypted.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
                assert encrypted.recv(1024).startswith(b"HTTP/1.1 200")
                process.send_signal(signal.SIGTERM)
                while encrypted.recv(1024):  # until the server closes what is open
                    pass
        assert process.wait(TIMEOUT) == 0


async def test_a_second_server_ends_with_its_context(environment: dict[str, str], client: httpx2.Client) -> None:
    settings = CallbackSettings.model_validate({name.lower(): value for name, value in environment.items()})
    listening = socket.create_server(("127.0.0.1", 0))
    url = f"https://localhost:{listening.getsockname()[1]}/health"
    async with server.serve_internal(Starlette(routes=[Route("/health", health)]), settings, 0, [listening]):
        answer = await asyncio.to_thread(client.get, url)
    assert answer.status_code == 200
    with pytest.raises(httpx2.ConnectError):
        client.get(url)


def test_a_taken_port_ends_the_start(environment: dict[str, str], tmp_path: Path) -> None:
    with socket.create_server(("0.0.0.0", 0)) as taken:
        code = BOTH.replace("SECOND", str(taken.getsockname()[1]))
        with running(["-c", code], environment, tmp_path) as process:
            assert process.wait(TIMEOUT) == STARTUP_FAILURE
    assert process.says("address already in use")()


def test_listens_where_the_variables_say_and_ends_with_0_when_told_to_stop(
    environment: dict[str, str], client: httpx2.Client, tmp_path: Path
) -> None:
    with running(["-m", "app.run.callback"], {**environment, "LISTEN_ADDRESS": "127.0.0.1"}, tmp_path) as process:
        (url,) = process.urls()
        eventually(answers(client, f"{url}/health", "ok"))
        assert process.addresses() == {"127.0.0.1"}
        process.send_signal(signal.SIGTERM)
        assert process.wait(TIMEOUT) == 0


def test_a_reloader_serves_what_is_edited(environment: dict[str, str], source: Path, client: httpx2.Client) -> None:
    """All in one, as each start takes a second: it serves code, outlives what doesn't run, serves a style, and ends."""
    edited, style = source / "callback" / "app.py", source / "http" / "static" / "style.css"
    early = source / "core" / "errors.py"
    good, others = edited.read_text(), early.read_text()
    # In place of the real one, which would outlive the test.
    (source.parent / "debugpy.py").write_text("def listen(address):\n    print('listening at', *address, flush=True)\n")
    environ = {**environment, "PYTHONPATH": "", "LISTEN_ADDRESS": "127.0.0.1", "DEBUGGER_PORT": "5678"}
    with running(["-m", "app.run.callback", "--reload"], environ, source.parent) as process:
        (url,) = process.urls()
        assert process.addresses() == {"127.0.0.1"}
        eventually(answers(client, f"{url}/health", "ok"))
        assert process.says("listening at 0.0.0.0 5678")()
        edited.write_text(good.replace('"status": "ok"', '"status": "edited"'))
        eventually(answers(client, f"{url}/health", "edited"))
        edited.write_text("this is no Python")
        eventually(process.says("SyntaxError"))
        eventually(contains(client, f"{url}/health", "The source can't run; edit it. SyntaxError: invalid syntax"))
        refused = client.get(f"{url}/health")
        assert (refused.status_code, f"{edited}, line 1)" in refused.text) == (503, True)
        early.write_text("this is no Python")  # what the server needs to answer with its fault
        eventually(contains(client, f"{url}/health", "The source can't run; the log says why."))
        early.write_text(others)
        edited.write_text(good.replace('"status": "ok"', '"status": "corrected"'))
        eventually(answers(client, f"{url}/health", "corrected"))
        assert not contains(client, f"{url}/static/style.css", "/* edited */")()
        style.write_text(f"{style.read_text()}/* edited */")
        eventually(contains(client, f"{url}/static/style.css", "/* edited */"))
        process.send_signal(signal.SIGTERM)
        assert process.wait(TIMEOUT) == 0


def test_ends_when_it_cannot_start_whatever_the_source_says(environment: dict[str, str], tmp_path: Path) -> None:
    wrong = {**environment, "APP_URL": "http://app"}
    with running(["-m", "app.run.callback", "--reload"], wrong, tmp_path) as process:
        assert process.wait(TIMEOUT) == 1
    assert process.says("APP_URL=http://app")()
    assert not process.says("Traceback")()


def test_a_port_that_is_none_ends_the_start_with_one_line(environment: dict[str, str], tmp_path: Path) -> None:
    wrong = {**environment, "CALLBACK_PORT": "https"}
    with running(["-m", "app.run.callback"], wrong, tmp_path) as process:
        assert process.wait(TIMEOUT) == 1
    [line] = process.log.read_text().splitlines()
    assert line.endswith("CALLBACK_PORT=https: not a port")


def test_a_taken_port_ends_the_start_of_a_reloader(environment: dict[str, str], tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        wrong = {**environment, "CALLBACK_PORT": str(port), "LISTEN_ADDRESS": "127.0.0.1"}
        with running(["-m", "app.run.callback", "--reload"], wrong, tmp_path) as process:
            assert process.wait(TIMEOUT) == 1
    [line] = process.log.read_text().splitlines()
    assert line.startswith(f"Can't listen on 127.0.0.1 port {port}: Address already in use")
