from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from infra.naming import SERVICES, Naming
from tests.system import damage
from tests.system.damage import at_latest_killed, ends_within
from tests.system.environments import is_up
from tests.system.running import succeed, wait_until

if TYPE_CHECKING:
    from pathlib import Path

    import docker
    from docker.models.containers import Container

    from tests.system.checkout import Checkout

STRANGER = "0123456789"


def _status(checkout: Checkout, *options: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(succeed(checkout.dashtam("status", *options, "--json")))
    return document


def test_scripts_are_told_everything(checkout: Checkout) -> None:
    document = _status(checkout, checkout.stack, "--size")
    outputs = checkout.outputs()
    assert [one["service"] for one in document["services"]] == list(SERVICES)
    for one in document["services"]:
        assert (one["state"], one["health"]) == ("running", "healthy")
        assert one["uptime_seconds"] >= 0
        assert one["image_reference"] == outputs["images"][one["service"]]
        assert [outputs["ports"][one["service"]]] in one["ports"].values()
    [overview] = document["environments"]
    assert (overview["state"], overview["drift"]) == ("up", False)
    left = datetime.fromisoformat(overview["certificates_expire"]) - datetime.now(UTC)
    assert timedelta(days=300) < left < timedelta(days=400)
    assert overview["data_bytes"].keys() == set(outputs["volumes"].values())
    assert overview["data_bytes"][outputs["volumes"]["postgres"]] > 10_000_000
    assert document["clone"] == overview["owner"]
    assert document["image_source"] in {"registry", "debian"}


def test_people_see_each_service_what_is_down_and_other_clones_on_request(
    checkout: Checkout, client: docker.DockerClient
) -> None:
    mine = Naming(checkout.stack, "")
    theirs = Naming(f"{checkout.stack}-x", STRANGER)
    image = client.containers.get(mine.container("callback")).attrs["Image"]
    container = client.containers.create(image, name=theirs.container("app"), labels=theirs.labels("app"))
    try:
        owners = {one["environment"]: one["owner"] for one in _status(checkout, "--all")["environments"]}
        said = succeed(checkout.dashtam("status"))
    finally:
        container.remove()
    assert owners[theirs.environment] == STRANGER
    assert owners[checkout.stack] != STRANGER
    assert theirs.environment not in said
    rows = [line.split()[:2] for line in said.splitlines()]
    assert [row for row in rows if row and row[0] == checkout.stack] == [
        *([checkout.stack, service] for service in SERVICES),
        [checkout.stack, "up"],
    ]
    assert ["dev", "down"] in rows


def test_data_is_measured_on_request_alone(checkout: Checkout) -> None:
    [overview] = _status(checkout, checkout.stack)["environments"]
    assert overview["data_bytes"] == dict.fromkeys(checkout.outputs()["volumes"].values())


def test_the_data_of_what_does_not_run_is_measured_too(checkout: Checkout, client: docker.DockerClient) -> None:
    volumes = checkout.outputs()["volumes"]
    redis = client.containers.get(Naming(checkout.stack, "").container("redis"))
    redis.stop()
    try:
        [asked] = _status(checkout, checkout.stack, "--size")["environments"]
    finally:
        redis.start()
        wait_until(lambda: is_up(client, checkout.stack), "the environment is up", 60)
    assert asked["data_bytes"][volumes["redis"]] > 0


def test_looking_leaves_nothing_behind(checkout: Checkout, tmp_path: Path) -> None:
    """The commands start with neither data nor downloads; doctor therefore finds Pulumi missing."""
    homes = {name: str(tmp_path / name) for name in ("DASHTAM_DATA_HOME", "DASHTAM_CACHE_HOME")}
    found = {}
    for command in ("status", "doctor", "images list"):
        done = checkout.dashtam(*command.split(), **homes)
        found[command] = (done.returncode, bool(done.stdout), [one.name for one in tmp_path.iterdir()])
    assert found == {"status": (0, True, []), "doctor": (2, True, []), "images list": (0, True, [])}


@contextmanager
def _watching(checkout: Checkout, output: int) -> Iterator[subprocess.Popen[bytes]]:
    command = [str(checkout.root / "dashtam"), "status", checkout.stack, "--watch"]
    environ = {**checkout.environ, "TERM": "xterm", "COLUMNS": "160"}
    process = subprocess.Popen(command, cwd=checkout.root, env=environ, stdin=subprocess.DEVNULL, stdout=output)
    with at_latest_killed(process):
        yield process


@pytest.fixture
def paused(checkout: Checkout, client: docker.DockerClient) -> Iterator[Container]:
    """A container to pause, which runs again afterwards."""
    container = client.containers.get(Naming(checkout.stack, "").container("callback"))
    yield container
    container.reload()
    if container.status == "paused":
        container.unpause()
    wait_until(lambda: is_up(client, checkout.stack), "the environment is up", 60)


def test_what_is_watched_is_told_line_by_line_and_on_a_terminal_in_place(
    checkout: Checkout, paused: Container, tmp_path: Path
) -> None:
    written = tmp_path / "watched"
    ours, theirs = pty.openpty()
    os.set_blocking(ours, False)
    seen = bytearray()

    def told() -> dict[str, list[str]]:
        states: dict[str, list[str]] = {}
        # What is still being written is no line yet.
        for line in written.read_text().rpartition("\n")[0].splitlines():
            _, name, state = line.split(" ", 2)
            states.setdefault(name, []).append(state)
        return states

    def has_seen(text: str) -> bool:
        try:
            seen.extend(os.read(ours, 65_536))
        except BlockingIOError:
            return False
        return text.encode() in seen

    with written.open("wb") as file, _watching(checkout, file.fileno()) as plain, _watching(checkout, theirs) as table:
        wait_until(lambda: len(told()) == len(SERVICES), "each service was told")
        wait_until(lambda: has_seen("sandbox"), "the table was shown")
        damage.pause(paused)
        wait_until(lambda: any(state.startswith("paused") for state in told()[paused.name or ""]), "the pause was told")
        wait_until(lambda: has_seen("paused"), "the pause was shown")
        for process in (plain, table):
            assert process.poll() is None
            process.send_signal(signal.SIGINT)
            assert ends_within(process, 10)
    os.close(theirs)
    os.close(ours)
    assert (plain.returncode, table.returncode) == (0, 0)
    # A busy machine may see health come and go; never is the same told twice.
    assert all(before != after for states in told().values() for before, after in pairwise(states))
    assert b"\x1b[1A" in seen
