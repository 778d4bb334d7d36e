from __future__ import annotations

import asyncio
import contextlib
import gc
import socket
import ssl
from typing import TYPE_CHECKING
from unittest.mock import AsyncMock, Mock

import pytest
from starlette.applications import Starlette

from app.core.errors import ServiceError
from app.core.settings import CallbackSettings
from app.run import server

if TYPE_CHECKING:
    from app.run.server import Sockets


@pytest.mark.parametrize(("error", "logged"), [(socket.gaierror(-3, "no answer"), False), (OSError(9, "lost"), True)])
async def test_a_look_up_that_was_given_up_is_not_reported(
    error: OSError, logged: bool, caplog: pytest.LogCaptureFixture
) -> None:
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(server.report)
    try:
        loop.create_future().set_exception(error)
        gc.collect()
    finally:
        loop.set_exception_handler(None)
    assert ("never retrieved" in caplog.text) is logged


@pytest.mark.parametrize(
    ("chosen", "public", "internal"),
    [(None, "0.0.0.0", "0.0.0.0"), ("0.0.0.0", "0.0.0.0", "127.0.0.1"), ("192.0.2.7", "192.0.2.7", "127.0.0.1")],
)
def test_outside_a_container_the_internal_port_is_this_computers_own(
    monkeypatch: pytest.MonkeyPatch, chosen: str | None, public: str, internal: str
) -> None:
    monkeypatch.delenv("LISTEN_ADDRESS", raising=False)
    if chosen:
        monkeypatch.setenv("LISTEN_ADDRESS", chosen)
    assert (server._host(internal=False), server._host(internal=True)) == (public, internal)


@pytest.mark.parametrize("port", ["65536", "-1", "https", "٣"])
def test_a_port_that_is_none_is_refused(port: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CALLBACK_PORT", port)
    with pytest.raises(ServiceError, match=f"^CALLBACK_PORT={port}: not a port$"):
        server.ports({"CALLBACK_PORT": 8182})


@pytest.mark.parametrize(
    ("ciphers", "accepted"),
    [
        ("ECDHE-ECDSA-AES128-SHA256", False),
        ("ECDHE-ECDSA-AES256-SHA", False),
        ("ECDHE-ECDSA-AES128-GCM-SHA256", True),
        ("ECDHE-ECDSA-CHACHA20-POLY1305", True),
    ],
)
def test_tls_1_2_has_authenticated_encryption_alone(
    tls_environment: dict[str, str], ciphers: str, *, accepted: bool
) -> None:
    urls = {"app_url": "https://app:8000", "public_url": "https://app:8000"}
    files = {name.lower(): value for name, value in tls_environment.items()}
    settings = CallbackSettings.model_validate({**urls, **files})
    config = server._config(Starlette(), settings, server.LOOPBACK, 0, 1)
    config.load()
    assert config.ssl
    client = ssl.create_default_context(cafile=tls_environment["TLS_CA_FILE"])
    client.maximum_version = ssl.TLSVersion.TLSv1_2
    client.set_ciphers(f"{ciphers}:@SECLEVEL=0")
    if accepted:
        assert handshake(client, config.ssl) == (ciphers, "TLSv1.2")
    else:
        with pytest.raises(ssl.SSLError):
            handshake(client, config.ssl)


def handshake(client: ssl.SSLContext, serving: ssl.SSLContext) -> tuple[str, str]:
    """Let two contexts meet in memory; return the cipher and the version that they agree on."""
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = client.wrap_bio(back, there, server_hostname="localhost"), serving.wrap_bio(there, back, server_side=True)
    for _ in range(4):
        for end in ends:
            with contextlib.suppress(ssl.SSLWantReadError):
                end.do_handshake()
    agreed = ends[0].cipher()
    assert agreed
    return agreed[0], str(ends[0].version())


@pytest.mark.parametrize(
    ("code", "told"),
    [
        (
            "import absent_package.part",
            "if absent_package is of a package in uv.lock, run `./dashtam up ENVIRONMENT`, ",
        ),
        ("import email.absent", "if email.absent is of a package in uv.lock, run `./dashtam up ENVIRONMENT`, "),
        ("import app.absent", "edit it. ModuleNotFoundError: No module named 'app.absent'"),
        ("from app.run import absent", "edit it. ImportError: cannot import name 'absent'"),
        ("raise ModuleNotFoundError", "edit it. ModuleNotFoundError: "),
    ],
)
def test_a_package_that_is_missing_is_not_told_to_be_edited(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, code: str, told: str
) -> None:
    async def main(_sockets: Sockets) -> None:
        exec(code)  # noqa: S102

    refuse = AsyncMock()
    monkeypatch.setattr(server, "refuse", refuse)
    monkeypatch.setattr("app.run.debugger.listen", Mock())
    monkeypatch.setattr("signal.signal", Mock())
    server.run(main, [Mock()])
    text = refuse.call_args.args[0]
    assert text.startswith(f"The source can't run; {told}")
    assert text.startswith(caplog.messages[-1])
