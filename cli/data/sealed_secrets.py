"""Which secrets travel with data, and what becomes of each when the data is restored.

| secret | in snapshots | in backups | when the data is restored |
|---|---|---|---|
| master keys of tokens | sealed | sealed | `app.tokens.rekeying` wraps the data keys with the present ones |
| session key | sealed | no | `snapshots.session_key` puts it into Pulumi's state |
| database password | no | no | `snapshots.staged_credentials` sets the present one |

`encryption` seals them. A snapshot is taken of stopped environments too, so it reads them from the volumes in which
they are installed for the services.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from docker.errors import NotFound

from cli.core.errors import UserError
from cli.data import encryption
from cli.data.encryption import Sealed
from cli.data.snapshots.helper import Helper, Part
from cli.engine import streams
from cli.ui.console import announce
from infra.naming import FILES_MOUNT, Naming

if TYPE_CHECKING:
    from app.tokens.vault import MasterKeys

TOKEN_KEYS = "token-keys.json"  # noqa: S105 - a file's name
SESSION_KEY = "session-key.json"
PASSWORD = "password"  # noqa: S105 - a file's name

INSTALLED_TOKEN_KEYS = f"/run/secrets/{TOKEN_KEYS}"
"""In the container of the app."""

INSTALLER_TOKEN_KEYS = f"{FILES_MOUNT}/app/{TOKEN_KEYS}"
"""In the container that installed them, which has ended and keeps its volumes."""

_PURPOSES = {TOKEN_KEYS: "dashtam: token keys", SESSION_KEY: "dashtam: session key"}
"""Of the secrets that travel with data, by the names of their files there."""

_SOURCES = {TOKEN_KEYS: ("app", TOKEN_KEYS), SESSION_KEY: ("app", "secret-key"), PASSWORD: ("postgres", PASSWORD)}
"""The service that a secret is installed for, and the file's name there."""


def volumes(naming: Naming, part: Part) -> list[str]:
    """Return the volumes of secrets that the helper of a part needs: the one of Postgres, for all of them."""
    services = dict.fromkeys(service for service, _ in _SOURCES.values())
    return [naming.files_volume(service) for service in services] if part.service == "postgres" else []


def installed(helper: Helper, naming: Naming, name: str) -> bytes | None:
    """Return a secret as it is installed now (the session key in base64); None if it isn't installed."""
    service, file = _SOURCES[name]
    with suppress(NotFound):
        return streams.read_file(helper.client, helper.id, f"/{naming.files_volume(service)}/{file}")
    return None


def require_installed(helper: Helper, naming: Naming, name: str) -> str:
    """Return a secret as it is installed now."""
    content = installed(helper, naming, name)
    if content is None:
        service, file = _SOURCES[name]
        raise UserError(
            f"The secrets of {naming.environment} are not installed.",
            cause=f"The volume {naming.files_volume(service)} has no file {file}.",
            remedy=f"./dashtam up {naming.environment}",
        )
    return content.decode()


def installed_to_seal(helper: Helper, naming: Naming) -> dict[str, bytes]:
    """Return the installed secrets that travel with a snapshot, by the names of their files there."""
    contents = {name: installed(helper, naming, name) for name in _PURPOSES}
    return {name: content for name, content in contents.items() if content is not None}


def seal(passphrase_file: Path, name: str, content: bytes) -> Sealed:
    """Seal a secret, to travel with data."""
    return encryption.seal(passphrase_file, content, _PURPOSES[name])


def unseal(passphrase_file: Path, name: str, sealed: Sealed) -> bytes | None:
    """Return a secret that came with data; None if this clone's passphrase doesn't open it."""
    return encryption.unseal(passphrase_file, sealed, _PURPOSES[name])


def unseal_token_keys(passphrase_file: Path, sealed: Sealed) -> MasterKeys | None:
    """Return the master keys that came with data; None, with a warning, if this clone's passphrase isn't theirs."""
    content = unseal(passphrase_file, TOKEN_KEYS, sealed)
    if content is None:
        announce(
            f"The tokens of linked accounts can't be read with the passphrase in {passphrase_file}: the data was kept"
            " under another one. With that one in the file, the same command brings them back, too."
        )
        return None
    from app.tokens.vault import MasterKeys  # noqa: PLC0415 - slow to import, and most commands have no use for it

    return MasterKeys.parse(content.decode())
