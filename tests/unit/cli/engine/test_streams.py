"""Streams into a command and out of it, over a connection that is one, to an engine that isn't."""

from __future__ import annotations

import select
import socket
import struct
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from unittest.mock import Mock

import pytest

from cli.core.errors import UserError
from cli.engine import streams
from cli.engine.streams import CommandError, explain_failure

SAID, COMPLAINED = 1, 2
TIMEOUT = 10.0

Play = Callable[[socket.socket], None]
Engine = Callable[[Play], Mock]


def _frame(stream: int, content: bytes) -> bytes:
    return struct.pack(">BxxxL", stream, len(content)) + content


@pytest.fixture
def engine() -> Iterator[Engine]:
    """Returns a client whose engine does on its side of the connection what it is told to, and must come to an end."""
    ours, theirs = socket.socketpair()
    # As short as the client's own patience must not be.
    ours.settimeout(0.05)
    with ThreadPoolExecutor(1) as pool, closing(ours):

        def play(part: Play) -> Mock:
            def perform() -> None:
                with closing(theirs):
                    part(theirs)

            playing = pool.submit(perform)
            client = Mock()
            client.api.exec_create.return_value = {"Id": "1"}
            client.api.exec_start.return_value = ours

            def inspect(_: str) -> dict[str, int]:
                playing.result(TIMEOUT)
                return {"ExitCode": 0}

            client.api.exec_inspect.side_effect = inspect
            return client

        yield play


def _receive(connection: socket.socket, size: int) -> bytes:
    received = b""
    while len(received) < size and (piece := connection.recv(1 << 16)):
        received += piece
    return received


def test_a_command_is_given_its_input_and_answers(engine: Engine) -> None:
    def shout(theirs: socket.socket) -> None:
        theirs.sendall(_frame(COMPLAINED, b"listening") + _frame(SAID, _receive(theirs, 6).upper()))

    client = engine(shout)
    assert streams.feed(client, "app", ["shout"], [b"abc", b"def"], 6) == "ABCDEF"
    command = client.api.exec_create.call_args.args[1]
    assert command[-2:] == ["6", "shout"]


def test_a_command_that_fails_says_why(engine: Engine) -> None:
    client = engine(lambda theirs: theirs.sendall(_frame(COMPLAINED, b"no room\n")))
    client.api.exec_inspect.side_effect = [{"ExitCode": 3}]
    with pytest.raises(CommandError, match="no room") as raised:
        streams.run(client, "app", ["false"])
    assert raised.value.status == 3


def test_a_command_that_ends_early_is_told_by_its_status(engine: Engine) -> None:
    client = engine(lambda _: None)
    assert streams.feed(client, "app", ["true"], [b"x" * (1 << 20)] * 8, 8 << 20) == ""


@pytest.mark.parametrize(
    ("command", "status", "said"),
    [
        (["true"], 0, b""),
        (["sh", "-c", "exit 3"], 3, b""),
        (["head", "-c", "2"], 0, b"xx"),
        (["wc", "-c"], 0, b"8388608\n"),
    ],
)
def test_what_a_command_leaves_of_its_input_is_read(command: list[str], status: int, said: bytes) -> None:
    size = 8 << 20
    limited = ["sh", "-euc", streams.LIMITED, "feed", str(size), *command]
    with subprocess.Popen(limited, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin
        assert process.stdout
        # It would break if nobody read; what is beyond the size is left.
        process.stdin.write(b"x" * size)
        process.stdin.flush()
        assert process.stdout.read().strip() == said.strip()
        assert process.wait(TIMEOUT) == status


def test_one_that_takes_its_time_is_waited_for(engine: Engine) -> None:
    size = 8 << 20

    def dawdle(theirs: socket.socket) -> None:
        # For longer than the client's patience nothing is read; the other side must not have given up then.
        ended = select.poll()
        ended.register(theirs, select.POLLHUP)
        assert not ended.poll(200)
        theirs.sendall(_frame(SAID, b"done"))
        assert len(_receive(theirs, size)) == size

    assert streams.feed(engine(dawdle), "app", ["slow"], [b"x" * (1 << 20)] * 8, size) == "done"


def test_what_can_not_be_read_ends_the_command_and_is_told(engine: Engine) -> None:
    unreadable = Path("/proc/self/mem")
    rest: list[bytes] = []

    def pieces() -> Iterator[bytes]:
        yield b"half"
        with unreadable.open("rb") as file:
            yield file.read(4)

    client = engine(lambda theirs: rest.append(_receive(theirs, 8)))
    with ThreadPoolExecutor(1) as pool:
        feeding = pool.submit(streams.feed, client, "app", ["head"], pieces(), 8)
        with pytest.raises(OSError, match="Input/output error"):
            feeding.result(TIMEOUT)
    client.api.exec_inspect("1")
    assert rest == [b"half"]


def test_a_connection_that_breaks_is_told(engine: Engine) -> None:
    def reset(theirs: socket.socket) -> None:
        # What was sent and is not read makes of the end a reset.
        theirs.recv(1, socket.MSG_PEEK)

    client = engine(reset)
    with pytest.raises(ConnectionResetError):
        streams.feed(client, "app", ["cat"], [b"unread"], 6)


@pytest.mark.parametrize(
    ("output", "remedy"),
    [
        ("No space left on device", "Free some disk space"),
        ("a revision which this checkout doesn't have", "`./dashtam destroy dev`"),
        ("odd", "Look at odd."),
    ],
)
def test_a_failure_is_explained_with_the_remedy_that_is_known_for_it(output: str, remedy: str) -> None:
    with (
        pytest.raises(UserError, match="It failed") as raised,
        explain_failure("It failed.", lambda output: f"Look at {output}.", "dev"),
    ):
        raise CommandError(1, output)
    assert raised.value.cause == output
    assert remedy in raised.value.remedy
    assert "ENVIRONMENT" not in raised.value.remedy
