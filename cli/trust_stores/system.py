"""The system's trust store, which curl, Python, Go and most other programs use."""

from __future__ import annotations

import platform
import shutil
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from cli.trust_stores.authority import Authority
from cli.trust_stores.store import Store, run, run_as_root

KEYCHAIN = "/Library/Keychains/System.keychain"

_TEMPORARY = """file=$(mktemp); trap 'rm -f "$file"' EXIT; trap 'exit 130' HUP INT TERM"""

_ADD = 'set -e; umask 022; cat > "$1"; chmod 0644 "$1"; shift; "$@"'
"""Writes the standard input to a file, and runs a command."""

_REMOVE = 'set -e; rm -f "$1"; shift; "$@"'

_REMOVE_LISTED = f"""set -e; rm -f "$1"; {_TEMPORARY}; {{ sed '$a\\' "$2"; echo "!${{1##*/}}"; }} > "$file"; shift 2; \
"$@" --certsconf "$file\""""
"""Debian's command leaves dangling links, and the CA in Java's store, unless its list marks the CA as removed."""

_KEYCHAIN_ADD = f'set -e; {_TEMPORARY}; cat > "$file"; security add-trusted-cert -d -r trustRoot -k "$1" "$file"'

_KEYCHAIN_REMOVE = (
    f'set -e; {_TEMPORARY}; cat > "$file"; '
    'remove() { security remove-trusted-cert -d "$file" && security delete-certificate -Z "$2" "$1"; }; '
    'remove "$@" || { security add-trusted-cert -d -r trustRoot -k "$1" "$file"; remove "$@"; }'
)
"""Removes the trust, then the certificate. Where one of them is missing, removing it fails, so both are added first."""


@dataclass(frozen=True)
class AnchorFolder:
    """A folder of trust anchors, and the command that makes bundles of it: Linux.

    `listed` is Debian's list of certificates.
    """

    folder: Path
    suffix: str
    update: Sequence[str]
    listed: Path | None = None

    needs_root = True

    @property
    def place(self) -> str:
        """What and where it is, for people."""
        return f"the system's trust store ({self.folder})"

    def holds(self, ca: Authority) -> bool:
        """Return whether it holds a CA that this program added."""
        with suppress(OSError):
            return ca.is_same(self._file(ca).read_text())
        return False

    def add(self, ca: Authority, file: Path) -> None:
        """Add a CA, as root."""
        run_as_root(["sh", "-c", _ADD, "sh", str(self._file(ca)), *self.update], file)

    def remove(self, ca: Authority, file: Path) -> None:  # noqa: ARG002 - other stores use it
        """Remove a CA, as root."""
        if self.listed is None:
            run_as_root(["sh", "-c", _REMOVE, "sh", str(self._file(ca)), *self.update])
        else:
            run_as_root(["sh", "-c", _REMOVE_LISTED, "sh", str(self._file(ca)), str(self.listed), *self.update])

    def _file(self, ca: Authority) -> Path:
        return self.folder / f"{ca.name}{self.suffix}"


@dataclass(frozen=True)
class Keychain:
    """The keychain of all users: macOS."""

    needs_root = True
    place = f"the system's keychain ({KEYCHAIN})"

    def holds(self, ca: Authority) -> bool:
        """Return whether it holds a CA, by its fingerprint."""
        return f"SHA-256 hash: {ca.fingerprint.upper()}" in run(["security", "find-certificate", "-a", "-Z", KEYCHAIN])

    def add(self, ca: Authority, file: Path) -> None:  # noqa: ARG002 - other stores use it
        """Add a CA, as root."""
        run_as_root(["sh", "-c", _KEYCHAIN_ADD, "sh", KEYCHAIN], file)

    def remove(self, ca: Authority, file: Path) -> None:
        """Remove a CA, as root."""
        run_as_root(["sh", "-c", _KEYCHAIN_REMOVE, "sh", KEYCHAIN, ca.fingerprint.upper()], file)


ANCHORS = (
    AnchorFolder(Path("/etc/pki/ca-trust/source/anchors"), ".pem", ("update-ca-trust", "extract")),
    AnchorFolder(
        Path("/usr/local/share/ca-certificates"),
        ".crt",
        ("update-ca-certificates",),
        Path("/etc/ca-certificates.conf"),
    ),
    AnchorFolder(Path("/etc/ca-certificates/trust-source/anchors"), ".crt", ("trust", "extract-compat")),
    AnchorFolder(Path("/usr/share/pki/trust/anchors"), ".pem", ("update-ca-certificates",)),
)
"""Fedora and Red Hat; Debian and Ubuntu; Arch; openSUSE."""


def stores() -> Sequence[Store]:
    """Return this system's store; none where its kind is unknown."""
    if platform.system() == "Darwin":
        return [Keychain()]
    return [one for one in ANCHORS if one.folder.is_dir() and shutil.which(one.update[0])][:1]
