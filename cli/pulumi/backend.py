"""Pulumi's state backend and passphrase, chosen in Pulumi's own order, and the files of a backend that is a folder.

As in Pulumi 3.259: pkg/workspace/creds.go, pkg/backend/diy and pkg/secrets/passphrase/manager.go.
"""

from __future__ import annotations

import gzip
import json
import os
import re
import shlex
import zlib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from cli.core.errors import UserError
from cli.core.paths import account_home
from cli.pulumi import stack_state
from infra.naming import PROJECT

URL = "PULUMI_BACKEND_URL"
PASSPHRASE = "PULUMI_CONFIG_PASSPHRASE"  # noqa: S105 - a variable's name
PASSPHRASE_FILE = "PULUMI_CONFIG_PASSPHRASE_FILE"  # noqa: S105 - a variable's name

ZSTD = ".zst"
SUFFIXES = ("", ".gz", ZSTD)
"""Of a state file, after `.json`."""

_FILES = "file://"


@dataclass(frozen=True)
class Folder:
    """A backend that is a folder."""

    path: Path

    def state(self, stack: str) -> Path:
        """Return the file with a stack's state, which is there if the stack is; of several the newest."""
        plain = self._states / f"{stack}.json"
        found = [one for suffix in SUFFIXES if (one := plain.with_name(plain.name + suffix)).exists()]
        return max(found, key=lambda one: one.stat().st_mtime_ns, default=plain)

    def attributes(self, stack: str) -> Iterator[Path]:
        """Yield the files with the attributes of a stack's state."""
        return self._states.glob(f"{stack}.json*.attrs")

    def locks(self, stack: str) -> Iterator[Path]:
        """Yield the locks on a stack."""
        parents = "" if self._is_legacy else f"organization/{PROJECT}"
        return (self.path / "locks" / parents / stack).glob("*.json")

    def backups(self, stack: str) -> Path:
        """Return the folder in which Pulumi keeps a stack's state of each update."""
        return self.path / "backups" / ("" if self._is_legacy else PROJECT) / stack

    @property
    def has_any_state(self) -> bool:
        """Whether it has the state of any stack."""
        stacks = self.path / "stacks"
        return any(any(stacks.glob(f"**/*.json{suffix}")) for suffix in SUFFIXES)

    @property
    def _states(self) -> Path:
        return self.path / "stacks" / ("" if self._is_legacy else PROJECT)

    @property
    def _is_legacy(self) -> bool:
        """Whether the stacks of all projects are in one folder, as before Pulumi 3.61."""
        with suppress(FileNotFoundError):
            return "version: 0" in (self.path / "meta.yaml").read_text()
        return any(any((self.path / "stacks").glob(f"*.json{suffix}")) for suffix in SUFFIXES)


def chosen(environ: Mapping[str, str], root: Path) -> str:
    """Return the URL of the backend that the user chose; empty where there is none."""
    return environ.get(URL) or _of_project(root) or _of_login(environ)


def folder(environ: Mapping[str, str], root: Path) -> Folder | None:
    """Return the chosen backend if it is a folder."""
    url = chosen(environ, root)
    return Folder(_path(url.removeprefix(_FILES), root) / ".pulumi") if url.startswith(_FILES) else None


def deployment(environ: Mapping[str, str], root: Path, stack: str) -> dict[str, Any] | None:
    """Return the deployment in a stack's state file, empty if there is none; None where only Pulumi can read it."""
    found = folder(environ, root)
    file = found.state(stack) if found else None
    if found is None or file is None or file.suffix == ZSTD:
        return None
    try:
        # Pulumi replaces the file as a whole: it is never seen half written.
        written = file.read_bytes()
    except FileNotFoundError:
        return {}
    try:
        return stack_state.deployment(gzip.decompress(written) if file.suffix == ".gz" else written)
    except (ValueError, AttributeError, EOFError, gzip.BadGzipFile, zlib.error) as error:
        copy = shlex.join(["cp", f"{file}.bak", str(file)])
        raise UserError(
            f"Pulumi's state of {stack} ({file}) is damaged.",
            cause=f"It can't be read: {error}.",
            remedy=f"Restore the copy from before the last change: `{copy}`, or the newest in {found.backups(stack)}."
            f" Then run `./dashtam drift {stack}`.",
        ) from None


def has_passphrase(environ: Mapping[str, str]) -> bool:
    """Return whether the user chose a passphrase: an empty one is one too, but no name of a file is none."""
    return PASSPHRASE in environ or bool(environ.get(PASSPHRASE_FILE))


def _path(url: str, root: Path) -> Path:
    path, *_ = url.split("?", maxsplit=1)
    if path.startswith("~"):
        path = f"{account_home()}/{path[2:]}"
    # Pulumi takes the whole for a URL only after it has made the path absolute.
    absolute, *_ = re.split("[?#]", os.path.normpath(root / path), maxsplit=1)
    return Path(unquote(absolute))


def _of_project(root: Path) -> str:
    try:
        text = (root / "Pulumi.yaml").read_text()
    except (OSError, UnicodeDecodeError):  # Pulumi itself reports that
        return ""
    if "backend" not in text:
        return ""
    import yaml  # noqa: PLC0415 - slow to import, and most projects name no backend

    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError:
        return ""
    found = document.get("backend") if isinstance(document, dict) else None
    return str(found.get("url") or "") if isinstance(found, dict) else ""


def _of_login(environ: Mapping[str, str]) -> str:
    home = environ.get("PULUMI_CREDENTIALS_PATH") or environ.get("PULUMI_HOME") or account_home() / ".pulumi"
    with suppress(OSError, ValueError):
        document = json.loads((Path(home) / "credentials.json").read_text())
        return str(document.get("current") or "")
    return ""
