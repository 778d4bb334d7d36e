"""Gives image builds the certificates of a machine that trusts a private certificate authority."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from cli.core.atomic_files import replacing
from infra.authorities import LOCAL
from infra.naming import PROJECT

SYSTEM_BUNDLE = Path("/etc/ssl/certs/ca-certificates.crt")
FILE = ".build/ca.crt"
"""In the build context, outside git; the Dockerfile reads it while it downloads and leaves it out of every image."""


def bundle(environ: Mapping[str, str] = os.environ, local: Path = LOCAL) -> Path | None:
    """Return the PEM file to download with; None where the public authorities suffice."""
    named = environ.get("SSL_CERT_FILE")
    if named and Path(named).is_file():
        return Path(named)
    # Those of environments, which `./dashtam trust` adds, are nobody's that is downloaded from.
    added = any(not one.name.startswith(f"{PROJECT}-") for one in local.rglob("*.crt"))
    return SYSTEM_BUNDLE if added and SYSTEM_BUNDLE.is_file() else None


def provide(root: Path, found: Path | None) -> None:
    """Put the certificates into the build context, or take them out."""
    target = root / FILE
    if found is None:
        target.unlink(missing_ok=True)
        return
    content = found.read_bytes()
    if not target.exists() or target.read_bytes() != content:
        target.parent.mkdir(exist_ok=True)
        with replacing(target) as file:
            file.write(content)
