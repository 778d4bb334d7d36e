"""What HAProxy's `send-proxy-v2` begins a connection with."""

from __future__ import annotations

import socket
import struct

from app.run.proxied import HEAD, SIGNATURE


def header(client: str, port: int, *, command: int = 0x21, more: bytes = b"") -> bytes:
    family = socket.AF_INET6 if ":" in client else socket.AF_INET
    source, own = (socket.inet_pton(family, one) for one in (client, "::1" if ":" in client else "127.0.0.1"))
    rest = source + own + struct.pack("!HH", port, 8001) + more
    return HEAD.pack(SIGNATURE, command, 0x21 if ":" in client else 0x11, len(rest)) + rest
