"""Logs of a real environment: in order of time, and followed while its containers stop, start and are replaced."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import docker
import pytest

from infra.naming import SERVICES
from tests.system import damage, environments
from tests.system.checkout import Checkout
from tests.system.running import run, succeed, wait_until

Write = Callable[[str, int], None]

READER_GONE = "1 0"
"""Exit statuses of a command whose reader ended before it, which Click makes 1, and of this reader."""


@pytest.fixture
def write(checkout: Checkout, client: docker.DockerClient) -> Write:
    """Makes the database write lines to its log."""

    def written(mark: str, count: int) -> None:
        statement = f"DO $$BEGIN FOR i IN 1..{count} LOOP RAISE LOG '{mark}-% ends', i; END LOOP; END$$"
        postgres = client.containers.get(_container(checkout, "postgres"))
        done = postgres.exec_run(["psql", "-c", statement], environment={"PGSERVICE": "dashtam"})
        assert done.exit_code == 0, done.output

    return written


def _container(checkout: Checkout, service: str) -> str:
    return f"dashtam-{checkout.stack}-{service}"


@contextmanager
def _following(checkout: Checkout, file: Path, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """Follow the database's log into a file."""
    command = [str(checkout.root / "dashtam"), "logs", checkout.stack, "postgres", "--follow", *arguments]
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


def test_lines_are_plain_aligned_and_timed_by_the_engine(checkout: Checkout, client: docker.DockerClient) -> None:
    said = succeed(checkout.dashtam("logs", checkout.stack, "redis", "sandbox", "--timestamps"))
    assert {line[:10] for line in said.splitlines()} == {"redis   | ", "sandbox | "}
    assert "\x1b" not in "".join(line[:10] for line in said.splitlines())
    redis = client.containers.get(_container(checkout, "redis"))
    first = redis.logs(timestamps=True).decode(errors="replace").splitlines()[0]
    assert f"redis   | {first}\n" in said


def test_the_last_lines_in_which_something_is_found(checkout: Checkout, write: Write) -> None:
    write("grep", 30)
    said = checkout.dashtam("logs", checkout.stack, "postgres", "--grep", r"grep-\d*[05] ends", "--tail", "3")
    lines = succeed(said).splitlines()
    assert [line.split("grep-")[1] for line in lines] == ["20 ends", "25 ends", "30 ends"]


def test_only_what_is_not_older(checkout: Checkout, client: docker.DockerClient, write: Write) -> None:
    write("before", 1)
    write("after", 1)
    written = client.containers.get(_container(checkout, "postgres")).logs(timestamps=True).decode().splitlines()
    moment = next(line.split()[0] for line in reversed(written) if "after-1 ends" in line)
    since = succeed(checkout.dashtam("logs", checkout.stack, "postgres", "--since", moment))
    assert "after-1 ends" in since
    assert "before-1 ends" not in since


def test_a_pipe_that_ends_early_is_no_error_to_print(checkout: Checkout, write: Write) -> None:
    write("pipe", 3000)
    command = f"{checkout.root}/dashtam logs {checkout.stack} | head -n 1; echo ${{PIPESTATUS[@]}}"
    done = run(["bash", "-c", command], cwd=checkout.root, env=checkout.environ)
    line, statuses = done.stdout.splitlines()
    assert "| " in line
    assert statuses == READER_GONE
    assert not done.stderr


def test_following_survives_a_restart_and_a_replacement(
    checkout: Checkout, client: docker.DockerClient, write: Write, tmp_path: Path
) -> None:
    write("old", 5)
    file = tmp_path / "followed"
    with _following(checkout, file, "--json", "--tail", "9") as process:
        wait_until(lambda: "old-5 ends" in file.read_text(), "what was written before")
        container = client.containers.get(_container(checkout, "postgres"))
        # One line after the other, until the restart ends them.
        endless = (
            "DO $$BEGIN FOR i IN 1..1000000 LOOP RAISE LOG 'busy-% ends', i; PERFORM pg_sleep(0.002); END LOOP; END$$"
        )
        with damage.at_latest_killed(checkout.start("db-shell", checkout.stack, "--", "-c", endless)):
            wait_until(lambda: "busy-50 ends" in file.read_text(), "lines of a busy service")
            container.restart()
        wait_until(lambda: environments.is_up(client, checkout.stack), "healthy after the restart")
        write("restarted", 5)
        wait_until(lambda: "restarted-5 ends" in file.read_text(), "what was written after the restart")
        container.stop()
        of_the_first = container.logs(timestamps=True).decode().splitlines()
        container.remove()
        checkout.up()
        write("replaced", 5)
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


def test_following_ends_with_the_reader(checkout: Checkout, write: Write, tmp_path: Path) -> None:
    read, said = tmp_path / "read", tmp_path / "said"
    logs = f"{checkout.root}/dashtam logs {checkout.stack} postgres --follow"
    command = f"{logs} | head -n 1 >{read}; echo ${{PIPESTATUS[@]}} >&2"
    with said.open("wb") as err:
        process = subprocess.Popen(["bash", "-c", command], env=checkout.environ, stdin=subprocess.DEVNULL, stderr=err)
    with damage.at_latest_killed(process):
        wait_until(lambda: read.exists() and read.read_text().startswith("postgres | "), "the first line")
        write("ended", 3)
        assert process.wait(30) == 0
    assert said.read_text() == f"{READER_GONE}\n"
