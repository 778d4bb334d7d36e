"""Requests a server's health: `python -m app.run.probe URL`. Cheap: standard library only."""

from __future__ import annotations

import http.client
import os
import ssl
import sys
from urllib.parse import urlsplit

TIMEOUT = 5.0
"""Seconds for the connection and for the answer, each."""


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
        return str(error) or type(error).__name__
    return None if answer.status == http.HTTPStatus.OK else f"{answer.status} {answer.reason}: {body}"


def main(arguments: list[str]) -> int:
    """Probe the URL given, and print why a server is not healthy; exit status 0 healthy, 1 not, 2 wrong use."""
    ca_file = os.environ.get("TLS_CA_FILE")
    if len(arguments) != 1 or not ca_file:
        sys.stderr.write("usage: TLS_CA_FILE=<ca.crt> python -m app.run.probe URL\n")
        return 2
    if reason := probe(arguments[0], ca_file):
        sys.stderr.write(f"{arguments[0]}: {reason}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
