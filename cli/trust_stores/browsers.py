"""The trust stores of browsers on Linux, and of Firefox anywhere: databases of NSS, changed by its certutil."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from cli.core.errors import UserError
from cli.machine import packages
from cli.trust_stores.authority import Authority
from cli.trust_stores.store import Store, run
from cli.ui import questions
from cli.ui.console import announce

CERTUTIL, PACKAGE = "certutil", "libnss3-tools"
CHROMIUM_PROGRAMS = (
    *("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"),
    *("microsoft-edge", "microsoft-edge-stable", "brave", "brave-browser"),
)
CHROMIUMS = (
    ".pki/nssdb",
    "snap/chromium/current/.pki/nssdb",
    "snap/chromium/current/.local/share/pki/nssdb",
    ".var/app/org.chromium.Chromium/.pki/nssdb",
    ".var/app/org.chromium.Chromium/data/pki/nssdb",
)
FIREFOXES = (
    ".mozilla/firefox",
    "snap/firefox/common/.mozilla/firefox",
    ".var/app/org.mozilla.firefox/.mozilla/firefox",
    ".var/app/org.mozilla.firefox/config/mozilla/firefox",
    "Library/Application Support/Firefox/Profiles",
)
_DATABASE = "cert9.db"
_TRUSTED_TO_SIGN_SERVERS = "C,,"


@dataclass(frozen=True)
class Database:
    """A database of NSS."""

    folder: Path
    browser: str

    needs_root = False

    @property
    def place(self) -> str:
        """What and where it is, for people."""
        return f"{self.browser} ({self.folder})"

    def holds(self, ca: Authority) -> bool | None:
        """Return whether it holds a CA that this program added; None where certutil can't look."""
        if not self._is_made():
            return False
        try:
            return self._lists(ca)
        except UserError:
            return None

    def add(self, ca: Authority, file: Path) -> None:
        """Add a CA; the database is made first where the browser has never run."""
        if not self._is_made():
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._certutil("-N", "--empty-password")
        self._certutil("-A", "-n", ca.name, "-t", _TRUSTED_TO_SIGN_SERVERS, "-i", str(file))

    def remove(self, ca: Authority, file: Path) -> None:  # noqa: ARG002 - other stores use it
        """Remove a CA."""
        if not self._is_made():
            return
        # First, since it completes a database that was not made to its end, which `-L` can't read.
        try:
            self._certutil("-D", "-n", ca.name)
        except UserError:
            if self._lists(ca):
                raise

    def _is_made(self) -> bool:
        return (self.folder / _DATABASE).exists()

    def _lists(self, ca: Authority) -> bool:
        return ca.name in self._certutil("-L").split()

    def _certutil(self, *arguments: str) -> str:
        return run([CERTUTIL, "-d", f"sql:{self.folder}", *arguments])


def stores(home: Path) -> list[Store]:
    """Return the stores in a user's home, and Chromium's if it is installed and has never run."""
    # Chromium uses it from version 146 on, unless there is one at the former place.
    chromium = _folder("XDG_DATA_HOME", home / ".local/share") / "pki/nssdb"
    databases = [folder for folder in (*(home / place for place in CHROMIUMS), chromium) if folder.is_dir()]
    if not {home / CHROMIUMS[0], chromium} & {*databases} and any(map(shutil.which, CHROMIUM_PROGRAMS)):
        databases.append(chromium)
    found = [Database(folder, "Chromium and Chrome") for folder in databases]
    # Likewise Firefox from version 147 on.
    firefox = _folder("XDG_CONFIG_HOME", home / ".config") / "mozilla/firefox"
    folders = (*(home / place for place in FIREFOXES), firefox)
    profiles = (file.parent for folder in folders for file in sorted(folder.glob(f"*/{_DATABASE}")))
    return [*found, *(Database(profile, "Firefox") for profile in profiles)]


def _folder(variable: str, default: Path) -> Path:
    """Return a folder of the XDG Base Directory Specification, which ignores a relative path."""
    chosen = Path(os.environ.get(variable, ""))
    return chosen if chosen.is_absolute() else default


def require_certutil(*, yes: bool, install: bool, as_json: bool = False) -> None:
    """Make sure of certutil, which is installed after a question, unless `yes`, where that is allowed."""
    if shutil.which(CERTUTIL):
        return
    has_apt = shutil.which("apt-get") is not None
    own = f"`{packages.command((PACKAGE,))}`" if has_apt else "Install the tools of NSS, which have certutil"
    remedy = f"{own}; or leave browsers alone with --store system."
    if not install or not packages.usable():
        raise UserError("certutil is missing, which changes what browsers trust.", remedy=remedy)
    announce(f"certutil is missing, which changes what browsers trust. Debian has it in {PACKAGE}.")
    if not yes:
        questions.confirm("Install certutil?", as_json=as_json)
    packages.install((PACKAGE,), CERTUTIL, remedy=remedy)
