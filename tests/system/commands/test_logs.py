"""Logs of a real environment: in order of time, and followed while its containers stop, start and are replaced."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import docker
import pytest

from infra.naming import SERVICES
from tests.system import damage, environments
from tests.system.checkout import Checkout
from tests.system.running import succeed, wait_until


def _write(checkout: Checkout, mark: str, count: int = 1) -> None:
    """Make the database write lines to its log."""
    statement = f"DO $$BEGIN FOR i IN 1..{count} LOOP RAISE LOG '{mark}-% ends', i; END LOOP; END$$"
    succeed(checkout.dashtam("db-shell", checkout.stack, "--", "-c", statement))


def _container(checkout: Checkout, service: str) -> str:
    return f"dashtam-{checkout.stack}-{service}"


@contextmanager
def _following(checkout: Checkout, file: Path, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """Follow logs into a file."""
    command = [str(checkout.root / "dashtam"), "logs", checkout.stack, "--follow", *arguments]
    with file.open("wb") as out:
        process = subprocess.Popen(
            command, cwd=checkout.root, env=checkout.environ, stdin=subprocess.DEVNULL, stdout=out, stderr=out
        )
    with damage.at_latest_killed(process):
        yield process


def _times(said: str) -> list[str]:
    return [json.loads(line)["time"] for line in said.splitlines()]


def test_all_services_are_merged_in_order_of_time(checkout: Checkout, client: docker.DockerClient) -> None:
    said = succeed(checkout.dashtam("logs", checkout.stack, "--json"))
    assert _times(said) == sorted(_times(said))
    entries = [json.loads(line) for line in said.splitlines()]
    assert {entry["service"] for entry in entries} == set(SERVICES)
    assert {entry["container"] for entry in entries} == {_container(checkout, service) for service in SERVICES}
    for service in SERVICES:
        own = [entry["line"] for entry in entries if entry["service"] == service]
        written = client.containers.get(_container(checkout, service)).logs().decode(errors="replace")
        assert set(own) <= {line.rstrip("\r") for line in written.split("\n")}


def test_lines_are_plain_where_there_is_no_terminal_and_aligned(checkout: Checkout) -> None:
    lines = succeed(checkout.dashtam("logs", checkout.stack, "redis", "sandbox")).splitlines()
    assert {line[:10] for line in lines} == {"redis   | ", "sandbox | "}
    assert "\x1b" not in "".join(line[:10] for line in lines)


def test_a_service_has_its_colour_unless_there_are_none(checkout: Checkout) -> None:
    coloured = succeed(checkout.dashtam("logs", checkout.stack, "redis", "--tail", "1", FORCE_COLOR="1", TERM="xterm"))
    assert coloured.startswith("\x1b[31mredis | \x1b[0m")
    plain = checkout.dashtam("logs", checkout.stack, "redis", "--tail", "1", FORCE_COLOR="1", NO_COLOR="1")
    assert succeed(plain).startswith("redis | ")


def test_the_last_lines_in_which_something_is_found(checkout: Checkout) -> None:
    _write(checkout, "grep", 30)
    said = checkout.dashtam("logs", checkout.stack, "postgres", "--grep", r"grep-\d*[05] ends", "--tail", "3")
    lines = succeed(said).splitlines()
    assert [line.split("grep-")[1] for line in lines] == ["20 ends", "25 ends", "30 ends"]


def test_only_what_is_not_older(checkout: Checkout) -> None:
    _write(checkout, "before")
    _write(checkout, "after")
    said = succeed(checkout.dashtam("logs", checkout.stack, "postgres", "--json", "--grep", "after-1 ends"))
    moment = _times(said)[-1]
    since = succeed(checkout.dashtam("logs", checkout.stack, "postgres", "--since", moment))
    assert "after-1 ends" in since
    assert "before-1 ends" not in since
    assert "before-1 ends" in succeed(checkout.dashtam("logs", checkout.stack, "--since", "10m"))
    assert not succeed(checkout.dashtam("logs", checkout.stack, "--since", "2100-01-01T00:00:00Z"))


def test_timestamps_are_the_engines(checkout: Checkout) -> None:
    said = succeed(checkout.dashtam("logs", checkout.stack, "redis", "--timestamps", "--tail", "1"))
    [time] = _times(succeed(checkout.dashtam("logs", checkout.stack, "redis", "--json", "--tail", "1")))
    assert said.startswith(f"redis | {time} ")


def test_a_pipe_that_ends_early_is_no_failure(checkout: Checkout) -> None:
    _write(checkout, "pipe", 3000)
    command = f"{checkout.root}/dashtam logs {checkout.stack} | head -n 1"
    done = subprocess.run(["bash", "-c", command], env=checkout.environ, capture_output=True, text=True, check=True)
    assert len(done.stdout.splitlines()) == 1
    assert not done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--since", "yesterday"], "'yesterday' is no time."),
        (["--grep", "(a"], "'(a' is no regular expression."),
        (["--tail", "-1"], "--tail"),
        (["web"], "There is no service 'web'."),
    ],
)
def test_what_makes_no_sense_is_refused(checkout: Checkout, arguments: list[str], said: str) -> None:
    done = checkout.dashtam("logs", checkout.stack, *arguments)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_following_survives_a_restart_and_a_replacement(
    checkout: Checkout, client: docker.DockerClient, tmp_path: Path
) -> None:
    _write(checkout, "old", 5)
    file = tmp_path / "followed"
    with _following(checkout, file, "postgres", "--json", "--tail", "9") as process:
        wait_until(lambda: "old-5 ends" in file.read_text(), "what was written before")
        container = client.containers.get(_container(checkout, "postgres"))
        # One line after the other, until the restart ends them.
        endless = (
            "DO $$BEGIN FOR i IN 1..1000000 LOOP RAISE LOG 'busy-% ends', i; PERFORM pg_sleep(0.002); END LOOP; END$$"
        )
        with checkout.start("db-shell", checkout.stack, "--", "-c", endless) as busy, damage.at_latest_killed(busy):
            wait_until(lambda: "busy-50 ends" in file.read_text(), "lines of a busy service")
            container.restart()
        wait_until(lambda: environments.is_up(client, checkout.stack), "healthy after the restart")
        _write(checkout, "restarted", 5)
        wait_until(lambda: "restarted-5 ends" in file.read_text(), "what was written after the restart")
        container.stop()
        of_the_first = container.logs(timestamps=True).decode().splitlines()
        container.remove()
        checkout.up()
        _write(checkout, "replaced", 5)
        wait_until(lambda: "replaced-5 ends" in file.read_text(), "what the new container wrote")
        assert process.poll() is None
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 0
    entries = [json.loads(line) for line in file.read_text().splitlines()]
    followed = [f"{entry['time']} {entry['line']}" for entry in entries]
    of_the_second = client.containers.get(_container(checkout, "postgres")).logs(timestamps=True).decode().splitlines()
    end = next(number for number, line in enumerate(of_the_second) if "replaced-5 ends" in line)
    expected = [*of_the_first[of_the_first.index(followed[0]) :], *of_the_second[: end + 1]]
    assert len(expected) > 100
    # Each once; what came on two streams at one moment may be in either order.
    assert sorted(followed[: len(expected)]) == sorted(expected)


def test_following_ends_with_the_reader(checkout: Checkout) -> None:
    command = f"exec {checkout.root}/dashtam logs {checkout.stack} postgres --follow | head -n 1"
    with (
        subprocess.Popen(
            ["bash", "-c", command], env=checkout.environ, stderr=subprocess.PIPE, stdout=subprocess.PIPE
        ) as done,
        damage.at_latest_killed(done),
    ):
        assert done.stdout
        assert done.stdout.readline().startswith(b"postgres | ")
        _write(checkout, "ended", 3)
        assert done.wait(30) == 0
        assert done.stderr
        assert not done.stderr.read()


def test_following_writes_each_line_at_once(checkout: Checkout) -> None:
    command = [str(checkout.root / "dashtam"), "logs", checkout.stack, "postgres", "-f", "-n", "1"]
    with (
        subprocess.Popen(command, env=checkout.environ, stdout=subprocess.PIPE, start_new_session=True) as process,
        damage.at_latest_killed(process),
    ):
        assert process.stdout
        process.stdout.readline()
        _write(checkout, "once")
        assert any(b"once-1 ends" in line for line in iter(process.stdout.readline, b""))
        assert process.poll() is None
        os.kill(process.pid, signal.SIGINT)
        assert process.wait(10) == 0
