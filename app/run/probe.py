"""Requests a server's health: `python -m app.run.probe URL [DEADLINE PAUSE ROUNDS LIMIT]`. Cheap: no library.

A round begins after PAUSE seconds, and asks until the server is healthy, or DEADLINE, in seconds since 1970, is past.
After ROUNDS of them, or the first that fails, the probe ends. It waits LIMIT seconds for an answer.
"""

from __future__ import annotations

import errno
import http.client
import os
import ssl
import sys
import time
from urllib.parse import urlsplit

ONCE = ("0", "0", "1", "5")
"""The schedule if there is none."""

PAUSE = 0.1
"""Seconds between two requests to a server that is not healthy."""


def probe(url: str, ca_file: str, limit: float) -> str | None:
    """Request a health URL over TLS, verified with a CA, for `limit` seconds; return why it isn't healthy, or None."""
    parts = urlsplit(url)
    if parts.scheme != "https" or not parts.hostname:
        return "not an https URL"
    try:
        context = ssl.create_default_context(cafile=ca_file)
        connection = http.client.HTTPSConnection(parts.hostname, parts.port, timeout=limit, context=context)
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
    try:
        url, *given = arguments
        deadline, pause, rounds, limit = (float(one) for one in given or ONCE)
    except ValueError:
        ca_file = None
    if not ca_file:
        sys.stderr.write("usage: TLS_CA_FILE=<ca.crt> python -m app.run.probe URL [DEADLINE PAUSE ROUNDS LIMIT]\n")
        return 2
    reason = None
    while rounds > 0 and not reason:
        time.sleep(pause)
        while (reason := probe(url, ca_file, limit)) and time.time() < deadline:
            time.sleep(PAUSE)
        rounds -= 1
    if reason:
        sys.stderr.write(f"{url}: {reason}\n")
    return 1 if reason else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
