"""Verified TLS towards other services."""

from __future__ import annotations

import ssl
from pathlib import Path

from app.core.errors import ServiceError


def client_context(ca_file: Path) -> ssl.SSLContext:
    """Trust one CA and nothing else; the name of the server is checked too."""
    try:
        return ssl.create_default_context(cafile=ca_file)
    except ssl.SSLError as error:
        raise ServiceError(f"TLS_CA_FILE={ca_file} holds no readable certificate: {error.reason}") from error
