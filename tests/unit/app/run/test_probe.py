from __future__ import annotations

import datetime
import errno
import os
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from app.run import probe

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from pathlib import Path

    from tests.certificates import Authority

    Server = Callable[..., AbstractContextManager[int]]

LIMIT = 5.0


def test_healthy(authority: Authority, https_server: Server) -> None:
    with https_server(authority.issue()) as port:
        assert probe.probe(f"https://localhost:{port}/ready", str(authority.ca_file), LIMIT) is None
        assert probe.probe(f"https://127.0.0.1:{port}", str(authority.ca_file), LIMIT) is None


def test_says_what_an_unhealthy_server_answered(authority: Authority, https_server: Server) -> None:
    with https_server(authority.issue(), 503) as port:
        reason = probe.probe(f"https://localhost:{port}/ready", str(authority.ca_file), LIMIT)
    assert reason == "503 Service Unavailable: answer to /ready"


@pytest.mark.parametrize(
    ("name", "days", "reason"),
    [("localhost", -1, "certificate has expired"), ("elsewhere", 1, "certificate is not valid for 'localhost'")],
)
def test_refuses_a_bad_certificate(
    authority: Authority, https_server: Server, name: str, days: int, reason: str
) -> None:
    with https_server(authority.issue(name, lifetime=datetime.timedelta(days=days))) as port:
        assert reason in (probe.probe(f"https://localhost:{port}/", str(authority.ca_file), LIMIT) or "")


def test_refuses_another_authority(
    authority: Authority, new_authority: Callable[[], Authority], https_server: Server
) -> None:
    with https_server(authority.issue()) as port:
        reason = probe.probe(f"https://localhost:{port}/", str(new_authority().ca_file), LIMIT)
    assert "certificate verify failed" in (reason or "")


def test_says_that_nothing_listens(authority: Authority, refusing_port: int) -> None:
    assert "refused" in (probe.probe(f"https://127.0.0.1:{refusing_port}/", str(authority.ca_file), LIMIT) or "")


def test_an_address_that_a_container_lacks_is_not_the_reason(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unavailable(*_: object, **__: object) -> None:
        raise OSError(errno.EADDRNOTAVAIL, os.strerror(errno.EADDRNOTAVAIL))

    monkeypatch.setattr(socket, "create_connection", unavailable)
    assert probe.probe("https://localhost:8000/ready", str(authority.ca_file), LIMIT) == "nothing listens there"


@pytest.mark.parametrize("url", ["http://localhost/health", "localhost:8000", "", "https:///health"])
def test_takes_https_urls_only(authority: Authority, url: str) -> None:
    assert probe.probe(url, str(authority.ca_file), LIMIT) == "not an https URL"


def test_says_that_the_authority_is_missing(tmp_path: Path) -> None:
    assert "No such file" in (probe.probe("https://localhost:1/", str(tmp_path / "ca.crt"), LIMIT) or "")


@pytest.mark.parametrize(
    ("arguments", "environment"),
    [
        ([], {"TLS_CA_FILE": "x"}),
        (["a", "soon"], {"TLS_CA_FILE": "x"}),
        (["a", "1", "2"], {"TLS_CA_FILE": "x"}),
        (["a"], {}),
    ],
)
def test_wrong_use(
    arguments: list[str],
    environment: dict[str, str],
    set_environment: Callable[[dict[str, str]], None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    set_environment(environment)
    assert probe.main(arguments) == 2
    assert "usage" in capsys.readouterr().err


@pytest.mark.parametrize(("status", "exit_status"), [(200, 0), (503, 1)])
def test_exit_status(authority: Authority, https_server: Server, status: int, exit_status: int) -> None:
    measured = {name: value for name, value in os.environ.items() if name.startswith("COVERAGE_")}
    with https_server(authority.issue(), status) as port:
        done = subprocess.run(
            [sys.executable, "-m", "app.run.probe", f"https://localhost:{port}/"],
            env=measured | {"TLS_CA_FILE": str(authority.ca_file)},
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == exit_status
    assert done.stdout == ""
    assert ("503" in done.stderr) == (exit_status == 1)


@pytest.mark.parametrize(("left", "exit_status", "asked"), [(60, 0, 3), (-60, 1, 1)])
def test_asks_again_until_the_deadline(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], left: int, exit_status: int, asked: int
) -> None:
    answers = iter(["refused", "503", None])
    monkeypatch.setenv("TLS_CA_FILE", "ca.crt")
    monkeypatch.setattr(probe, "PAUSE", 0)
    monkeypatch.setattr(probe, "probe", lambda *_: next(answers))
    schedule = [str(int(time.time()) + left), "0", "1", "5"]
    assert probe.main(["https://localhost", *schedule]) == exit_status
    assert capsys.readouterr().err == ("https://localhost: refused\n" if exit_status else "")
    assert len(list(answers)) == 3 - asked


@pytest.mark.parametrize(("answers", "exit_status", "asked"), [([None, None, None], 0, 3), ([None, "503", None], 1, 2)])
def test_a_healthy_server_is_asked_until_it_fails_or_all_rounds_are_done(
    monkeypatch: pytest.MonkeyPatch, answers: list[str | None], exit_status: int, asked: int
) -> None:
    left, pauses = iter(answers), list[float]()
    monkeypatch.setenv("TLS_CA_FILE", "ca.crt")
    monkeypatch.setattr(time, "sleep", pauses.append)
    monkeypatch.setattr(probe, "probe", lambda *_: next(left))
    assert probe.main(["https://localhost", "0", "1.5", "3", "5"]) == exit_status
    assert len(list(left)) == 3 - asked
    assert pauses == [1.5] * asked


def test_is_cheap() -> None:
    """Only the standard library is imported: it runs every few seconds in every container."""
    code = (
        "import sys, app.run.probe;"
        " sys.exit(any(m in sys.modules for m in ('pydantic', 'httpx2', 'asyncio', 'uvicorn')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
