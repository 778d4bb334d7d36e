"""A server that answers in a thread while a test runs."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator
    from socketserver import BaseServer

    Server = TypeVar("Server", bound=BaseServer)

POLL_SECONDS = 0.01
"""How often it looks whether it is to end."""


@contextmanager
def serving(server: Server) -> Iterator[Server]:
    """Let a server answer, and close it at the end."""
    with server:
        thread = threading.Thread(target=server.serve_forever, args=(POLL_SECONDS,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
