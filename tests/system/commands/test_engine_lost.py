"""An engine that goes away while a command works with it: the command says so, and the next one goes on."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from typing import TYPE_CHECKING

from cli.engine.endpoint import DEFAULT_SOCKET
from tests.system import damage, environments
from tests.system.checkout import free_ports
from tests.system.running import succeed, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import docker

    from tests.system.checkout import Checkout


AT_MOST = 30.0
"""Seconds that the proxy takes for anything."""


class Proxy:
    """Stands between a command and the engine."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._open: set[asyncio.StreamWriter] = set()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self._server = asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(AT_MOST)
        self.address = f"127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    @property
    def host(self) -> str:
        """Where it listens, as `DOCKER_HOST` has it."""
        return f"tcp://{self.address}"

    async def _listen(self) -> asyncio.Server:
        return await asyncio.start_server(self._serve, "127.0.0.1", 0)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with self._kept(writer):
            from_engine, to_engine = await asyncio.open_unix_connection(str(DEFAULT_SOCKET))
            with self._kept(to_engine):
                await asyncio.gather(_pass_on(reader, to_engine), _pass_on(from_engine, writer))

    @contextlib.contextmanager
    def _kept(self, writer: asyncio.StreamWriter) -> Iterator[None]:
        self._open.add(writer)
        try:
            yield
        finally:
            self._open.remove(writer)
            writer.transport.abort()

    def go_away(self) -> None:
        """Close everything, and listen no more."""
        self._loop.call_soon_threadsafe(self._close)

    def _close(self) -> None:
        self._server.close()
        for one in self._open:
            one.transport.abort()

    async def _finish(self) -> None:
        self._close()
        serving = asyncio.all_tasks() - {asyncio.current_task()}
        for task in serving:
            task.cancel()
        await asyncio.gather(*serving, return_exceptions=True)
        await asyncio.sleep(0)  # what was aborted is closed in the next round

    def end(self) -> None:
        """Go away, with the thread."""
        asyncio.run_coroutine_threadsafe(self._finish(), self._loop).result(AT_MOST)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(AT_MOST)
        self._loop.close()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    with contextlib.suppress(OSError):
        writer.close()


@contextlib.contextmanager
def proxied() -> Iterator[Proxy]:
    """Put a proxy before the engine."""
    proxy = Proxy()
    try:
        yield proxy
    finally:
        proxy.end()


def test_one_that_goes_away_during_an_update(checkout: Checkout, client: docker.DockerClient, tmp_path: Path) -> None:
    # This replaces the callback server alone.
    checkout.configure(callback={"port": free_ports(1)[0]})
    written = tmp_path / "said"
    with proxied() as proxy:
        process = checkout.start("up", checkout.stack, said=written, DOCKER_HOST=proxy.host)
        with damage.at_latest_killed(process):
            wait_until(lambda: not environments.is_up(client, checkout.stack), "the update has begun", 60)
            assert process.poll() is None
            proxy.go_away()
            assert process.wait(120) == 1, written.read_text()
    said = " ".join(written.read_text().split())
    assert "Traceback" not in said
    assert "What to do:" in said
    checkout.configure()
    checkout.up()
    assert environments.is_up(client, checkout.stack)
    succeed(checkout.pulumi("preview", "--stack", checkout.stack, "--expect-no-changes"))


def test_one_that_goes_away_before_anything_is_asked(checkout: Checkout) -> None:
    with proxied() as proxy:
        proxy.go_away()
        done = checkout.dashtam("up", checkout.stack, DOCKER_HOST=proxy.host)
    assert done.returncode == 1
    assert proxy.address in done.stderr
    assert "What to do:" in done.stderr
