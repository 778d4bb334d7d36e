"""The system's trust store, which curl, Python, Go and most other programs use."""

from __future__ import annotations

import platform
import shutil
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile

from cli.trust_stores.authority import Authority
from cli.trust_stores.store import Store, run, run_as_root

KEYCHAIN = "/Library/Keychains/System.keychain"


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
        run_as_root(["install", "-m", "0644", str(file), str(self._file(ca))])
        run_as_root(self.update)

    def remove(self, ca: Authority, file: Path) -> None:
        """Remove a CA, as root."""
        run_as_root(["rm", "-f", str(self._file(ca))])
        if self.listed is None:
            run_as_root(self.update)
            return
        # Debian's command leaves dangling links, and the CA in Java's store, unless its list marks the CA as removed.
        with NamedTemporaryFile("w", dir=file.parent) as without:
            without.write(f"{self.listed.read_text().rstrip()}\n!{self._file(ca).name}\n")
            without.flush()
            run_as_root([*self.update, "--certsconf", without.name])

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
        run_as_root(["security", "add-trusted-cert", "-d", "-r", "trustRoot", "-k", KEYCHAIN, str(file)])

    def remove(self, ca: Authority, file: Path) -> None:
        """Remove a CA, as root: first its trust, then the certificate."""
        run_as_root(["security", "remove-trusted-cert", "-d", str(file)])
        run_as_root(["security", "delete-certificate", "-Z", ca.fingerprint.upper(), KEYCHAIN])


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
