"""Requests a server's health: `python -m app.run.probe URL [DEADLINE]`. Cheap: standard library only.

It asks again until the server is healthy or the deadline, in seconds since 1970, is past.
"""

from __future__ import annotations

import errno
import http.client
import os
import ssl
import sys
import time
from urllib.parse import urlsplit

TIMEOUT = 5.0
"""Seconds for the connection and for the answer, each."""

PAUSE = 0.1
"""Seconds between two requests."""


def probe(url: str, ca_file: str) -> str | None:
    """Request a health URL over TLS, verified with a CA; return why the server is not healthy, or None."""
    parts = urlsplit(url)
    if parts.scheme != "https" or not parts.hostname:
        return "not an https URL"
    try:
        context = ssl.create_default_context(cafile=ca_file)
        connection = http.client.HTTPSConnection(parts.hostname, parts.port, timeout=TIMEOUT, context=context)
        try:
            connection.request("GET", parts.path or "/")
            answer = connection.getresponse()
            body = answer.read(2048).decode(errors="replace")
        finally:
            connection.close()
    except (OSError, http.client.HTTPException) as error:
        # Of several addresses the last one's error is raised: in a container without IPv6, of `localhost` that of ::1.
        if getattr(error, "errno", None) == errno.EADDRNOTAVAIL:
            return "nothing listens there"
        return str(error) or type(error).__name__
    return None if answer.status == http.HTTPStatus.OK else f"{answer.status} {answer.reason}: {body}"


def main(arguments: list[str]) -> int:
    """Probe the URL given, and print why a server is not healthy; exit status 0 healthy, 1 not, 2 wrong use."""
    ca_file = os.environ.get("TLS_CA_FILE")
    if not (arguments and ca_file) or arguments[2:] or not all(one.isdecimal() for one in arguments[1:]):
        sys.stderr.write("usage: TLS_CA_FILE=<ca.crt> python -m app.run.probe URL [DEADLINE]\n")
        return 2
    url, deadline = arguments[0], int(arguments[1]) if arguments[1:] else 0
    while (reason := probe(url, ca_file)) and time.time() < deadline:
        time.sleep(PAUSE)
    if reason:
        sys.stderr.write(f"{url}: {reason}\n")
    return 1 if reason else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
