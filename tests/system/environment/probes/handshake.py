"""Tells how servers answer to TLS handshakes and to plaintext. Standard library alone: it runs in other containers.

Argument: JSON, a list of attempts with `host`, `port`, `protocol` (postgres, redis or https), `trust` (PEM, or null for
the system's authorities), `newest` (null or a version), `ciphers` (of that version) and `plain`. Prints a JSON list of
answers.
"""

import json
import socket
import ssl
import struct
import sys
from typing import Any

TIMEOUT = 5.0
SSL_REQUEST = struct.pack("!ii", 8, 80877103)
"""PostgreSQL manual, 53.2.10."""
STARTUP = b"user\0nobody\0\0"
GREETINGS = {
    "postgres": struct.pack("!ii", len(STARTUP) + 8, 196608) + STARTUP,
    "redis": b"PING\r\n",
    "https": b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
}


def context(attempt: dict[str, Any]) -> ssl.SSLContext:
    """Return a client that verifies, as old as the attempt wants it."""
    made = ssl.create_default_context(cadata=attempt["trust"])
    if attempt["newest"]:
        made.set_ciphers(f"{attempt['ciphers']}:@SECLEVEL=0")
        made.minimum_version = ssl.TLSVersion.TLSv1
        made.maximum_version = ssl.TLSVersion[attempt["newest"]]
    return made


def plain(connection: socket.socket, protocol: str) -> str:
    """Return the first words of the answer to plaintext."""
    connection.sendall(GREETINGS[protocol])
    return connection.recv(200).decode(errors="replace") or "closed"


def handshake(connection: socket.socket, attempt: dict[str, Any]) -> str:
    """Return `verified`; raises why not."""
    if attempt["protocol"] == "postgres":
        connection.sendall(SSL_REQUEST)
        assert connection.recv(1) == b"S", "no TLS"
    with context(attempt).wrap_socket(connection, server_hostname=attempt["host"]):
        return "verified"


def answer(attempt: dict[str, Any]) -> str:
    """Return what came of one attempt."""
    try:
        with socket.create_connection((attempt["host"], attempt["port"]), TIMEOUT) as connection:
            if attempt["plain"]:
                return plain(connection, attempt["protocol"])
            return handshake(connection, attempt)
    except (OSError, AssertionError) as error:
        return str(error)


sys.stdout.write(json.dumps([answer(attempt) for attempt in json.loads(sys.argv[1])]))
