"""The environment's secrets that its data is opened with, read from where they are installed for its services."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from docker.errors import NotFound

from app.vault import MasterKeys
from cli.core.errors import UserError
from cli.data import encryption
from cli.data.encryption import Sealed
from cli.data.snapshots.helper import Helper, Part
from cli.ui.console import err
from infra.naming import Naming

TOKEN_KEYS = "token-keys.json"  # noqa: S105 - a file's name
INSTALLED = "/run/secrets"
"""Where a service finds its own."""

SESSION_KEY = "session-key.json"
PASSWORD = "password"  # noqa: S105 - a file's name

_PURPOSES = {TOKEN_KEYS: "dashtam: token keys", SESSION_KEY: "dashtam: session key"}
"""Of the secrets that are kept with the data."""

_SOURCES = {TOKEN_KEYS: ("app", TOKEN_KEYS), SESSION_KEY: ("app", "secret-key"), PASSWORD: ("postgres", PASSWORD)}
"""The service that has a secret, and the file in which it finds it."""


def volumes(naming: Naming, part: Part) -> list[str]:
    """Return the volumes of secrets that a part's data is opened with."""
    services = dict.fromkeys(service for service, _ in _SOURCES.values())
    return [naming.files_volume(service) for service in services] if part.service == "postgres" else []


def kept(helper: Helper, naming: Naming) -> dict[str, bytes]:
    """Return the secrets that are kept with the data, by the names of their files there; those that there are.

    Args:
        helper: With the volumes of secrets.
        naming: The environment's names.
    """
    found = {name: _read(helper, naming, name) for name in _PURPOSES}
    return {name: content for name, content in found.items() if content is not None}


def session_key(helper: Helper, naming: Naming) -> bytes | None:
    """Return the key that the environment signs sessions with now, in base64."""
    return _read(helper, naming, SESSION_KEY)


def _read(helper: Helper, naming: Naming, name: str) -> bytes | None:
    with suppress(NotFound):
        return helper.file(_path(naming, name))
    return None


def master_keys(helper: Helper, naming: Naming) -> MasterKeys:
    """Return the master keys of tokens that the environment has now.

    Args:
        helper: With the volumes of secrets.
        naming: The environment's names.

    Raises:
        UserError: They are not installed.
    """
    found = _read(helper, naming, TOKEN_KEYS)
    if found is None:
        raise _missing(naming, TOKEN_KEYS)
    return MasterKeys.parse(found.decode())


def sealed(passphrase_file: Path, content: bytes, name: str = TOKEN_KEYS) -> Sealed:
    """Encrypt a secret, to be kept with the data.

    Args:
        passphrase_file: Of this clone.
        content: The secret.
        name: Of its file there.
    """
    return encryption.seal(passphrase_file, content, _PURPOSES[name])


def unsealed_session_key(passphrase_file: Path, shut: Sealed) -> bytes | None:
    """Return the session key that was kept with data; None where this clone can't open it.

    Args:
        passphrase_file: Of this clone.
        shut: What `sealed` returned.
    """
    return encryption.unseal(passphrase_file, shut, _PURPOSES[SESSION_KEY])


def former(passphrase_file: Path, shut: Sealed) -> MasterKeys | None:
    """Return the master keys that were kept with data; None, which is told, where this clone can't open them.

    Args:
        passphrase_file: Of this clone.
        shut: What `sealed` returned.
    """
    content = encryption.unseal(passphrase_file, shut, _PURPOSES[TOKEN_KEYS])
    if content is None:
        err.print(
            f"The tokens of linked accounts can't be read with the passphrase in {passphrase_file}: the data was kept"
            " under another one. With that one in the file, the same command brings them back, too.",
            highlight=False,
            markup=False,
        )
        return None
    return MasterKeys.parse(content.decode())


def password(helper: Helper, naming: Naming) -> str:
    """Return the password of the database's owner.

    Args:
        helper: With the volumes of secrets.
        naming: The environment's names.

    Raises:
        UserError: It is not installed.
    """
    with suppress(NotFound):
        return helper.file(_path(naming, PASSWORD)).decode()
    raise _missing(naming, PASSWORD)


def _path(naming: Naming, name: str) -> str:
    service, file = _SOURCES[name]
    return f"/{naming.files_volume(service)}/{file}"


def _missing(naming: Naming, name: str) -> UserError:
    return UserError(
        f"The secrets of {naming.environment} are not installed.",
        cause=f"The volume {naming.files_volume(_SOURCES[name][0])} has no file {_SOURCES[name][1]}.",
        remedy=f"./dashtam up {naming.environment}",
    )
