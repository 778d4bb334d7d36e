"""The certificate authorities that this machine trusts besides the public ones, such as that of a proxy that reads TLS.

Pure: shared by the program and the operator commands.
"""

from __future__ import annotations

import os
import re
import ssl
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from infra.naming import PROJECT

LOCAL = Path("/usr/local/share/ca-certificates")
"""Where Debian's administrators add certificates."""

PUBLIC = Path("/usr/share/ca-certificates")
"""Where Debian has those of the public authorities."""

_BLOCK = re.compile(r"-----BEGIN CERTIFICATE-----\s[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----")


def added(environ: Mapping[str, str] = os.environ, local: Path = LOCAL) -> str:
    """Return their certificates in PEM, each once: those in SSL_CERT_FILE, and those added to the system's.

    Those of environments are left out, which `./dashtam trust` adds.
    """
    found = _blocks([*sorted(local.rglob("*.crt")), Path(environ.get("SSL_CERT_FILE") or os.devnull)])
    if not found:
        return ""
    import certifi  # noqa: PLC0415 - most machines need neither it nor the files; it comes with the engine's SDK

    known = _blocks([Path(certifi.where()), *PUBLIC.rglob("*.crt"), *local.glob(f"{PROJECT}-*.crt")])
    return "".join(f"{block}\n" for key, block in found.items() if key not in known and _is_usable(block))


def _blocks(files: Iterable[Path]) -> dict[str, str]:
    """Return the certificates in some files, by what is the same however their lines are broken."""
    found: dict[str, str] = {}
    for file in files:
        with suppress(OSError):
            for block in _BLOCK.findall(file.read_text(encoding="utf-8", errors="replace")):
                found.setdefault("".join(block.split()), block)
    return found


def _is_usable(block: str) -> bool:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=block)
    except ssl.SSLError:
        return False
    return True
