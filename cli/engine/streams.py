"""Commands and files in containers, with streams of any length into and out of them."""

from __future__ import annotations

import io
import socket
import tarfile
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Any

import docker
from docker.errors import create_api_error_from_http_exception
from docker.utils.socket import frames_iter
from requests import HTTPError

from cli.core import remedies
from cli.core.errors import UserError

PIECE = 1 << 20
"""Bytes of an archive that are read at a time."""

OUTPUT = 1
"""The number of a frame that was written to standard output."""

LIMITED = """
size=$1
shift
head -c "$size" | {
    "$@" && status=0 || status=$?
    cat > /dev/null
    exit "$status"
}
"""
"""Ends the command's input after `size` bytes, as a connection over TLS can't be closed in one direction. What the
command leaves unread is read all the same: the engine takes half a minute to notice that nothing reads any more."""

LAST_WORDS = 2000
"""Characters of a command's errors that its failure repeats."""


class CommandError(Exception):
    """A command in a container failed; `output` is the end of its errors."""

    def __init__(self, status: int, output: str) -> None:
        super().__init__(f"exit status {status}: {output}")
        self.status = status
        self.output = output


@contextmanager
def explain_failure(message: str, remedy: str | Callable[[str], str], environment: str) -> Iterator[None]:
    """Turn a command's failure into a UserError; the remedy, or what gives one for its output, is for unknown ones.

    Known ones name the environment that the command runs for.
    """
    try:
        yield
    except CommandError as error:
        otherwise = remedy if isinstance(remedy, str) else remedy(error.output)
        known = remedies.known(error.output, environment=environment)
        raise UserError(message, cause=error.output, remedy=known or otherwise) from None


def run(client: docker.DockerClient, container: str, command: Sequence[str], stdin: bytes = b"") -> str:
    """Run a command to its end and return its standard output; never pass a secret as an argument."""
    return feed(client, container, command, [stdin], len(stdin))


def feed(
    client: docker.DockerClient, container: str, command: Sequence[str], pieces: Iterable[bytes], size: int
) -> str:
    """Run a command whose input is `size` bytes in pieces, and return its standard output.

    An error while a piece is read ends the command's input, and is raised.
    """
    limited = ["sh", "-c", LIMITED, "feed", str(size), *command]
    execution, connection = _start(client, container, limited if size else command, stdin=bool(size))
    errors = bytearray()
    # Whatever happens, the connection is cut before the reader is waited for: the command may wait for more.
    with ThreadPoolExecutor(1) as pool, cut_off(connection):
        reading = pool.submit(lambda: b"".join(_read(connection, errors)))
        _send(connection, pieces)
        out = reading.result()
    _require_success(client, execution, errors)
    return out.decode(errors="replace")


@contextmanager
def cut_off(connection: Any) -> Iterator[Any]:  # noqa: ANN401 - what the SDK returns differs by transport
    """Use the socket of a connection to a container, and end it whatever happens, which wakes a thread that reads."""
    # The SDK may return a file of the socket, which stays open when the file is closed.
    underlying = _socket(connection)
    try:
        yield underlying
    finally:
        with suppress(OSError):
            underlying.shutdown(socket.SHUT_RDWR)
        connection.close()
        underlying.close()


def _read(connection: Any, errors: bytearray) -> Iterator[bytes]:  # noqa: ANN401
    """Yield pieces of the standard output, and collect the standard error."""
    for stream, piece in frames_iter(connection, tty=False):  # type: ignore[no-untyped-call]
        if stream == OUTPUT:
            yield piece
        else:
            errors += piece


def _send(connection: Any, pieces: Iterable[bytes]) -> None:  # noqa: ANN401
    for piece in pieces:
        try:
            _socket(connection).sendall(piece)
        except OSError:
            # A command that ends early closes its end; its exit status shows whether that is a failure.
            return


def _socket(connection: Any) -> Any:  # noqa: ANN401
    return getattr(connection, "_sock", connection)


def output(client: docker.DockerClient, container: str, command: Sequence[str]) -> Generator[bytes, None, None]:
    """Run a command and yield pieces of its standard output; a failure is raised after the last one.

    Close the generator where not all is read.
    """
    execution, connection = _start(client, container, command, stdin=False)
    errors = bytearray()
    with cut_off(connection):
        yield from _read(connection, errors)
    _require_success(client, execution, errors)


def archive(client: docker.DockerClient, container: str, path: str) -> Generator[bytes, None, None]:
    """Read a folder or a file of a container, running or not, as pieces of a tar archive.

    The engine reads it whatever its mode, and does nothing else with the container until all is read or the connection
    is closed, which the SDK's own `get_archive` never does. So close the generator where not all is read.
    """
    api = client.api
    address = f"{api.base_url}/v{api.api_version}/containers/{container}/archive"
    with api.get(address, params={"path": path}, stream=True, timeout=api.timeout) as answer:
        try:
            answer.raise_for_status()
        except HTTPError as error:
            create_api_error_from_http_exception(error)
        yield from answer.iter_content(PIECE)


def read_file(client: docker.DockerClient, container: str, path: str) -> bytes:
    """Return a small file of a container, running or not, whatever its mode."""
    whole = io.BytesIO(b"".join(archive(client, container, path)))
    with tarfile.open(fileobj=whole) as files:
        content = files.extractfile(files.getmembers()[0])
        return content.read() if content else b""


def _start(client: docker.DockerClient, container: str, command: Sequence[str], *, stdin: bool) -> tuple[str, Any]:
    execution: str = client.api.exec_create(container, list(command), stdin=stdin)["Id"]
    connection = client.api.exec_start(execution, socket=True)
    # The client's timeout is for the engine's answers; a command may read and write as slowly as it has to.
    _socket(connection).settimeout(None)
    return execution, connection


def _require_success(client: docker.DockerClient, execution: str, errors: bytearray) -> None:
    status = client.api.exec_inspect(execution)["ExitCode"]
    if status != 0:
        raise CommandError(-1 if status is None else status, errors.decode(errors="replace").strip()[-LAST_WORDS:])
