"""The environment's secrets that its data is opened with, read from where they are installed for its services."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from docker.errors import NotFound

from app.vault import MasterKeys
from cli.console import err
from cli.errors import UserError
from cli.snapshots import sealing
from cli.snapshots.helper import Helper, Part
from cli.snapshots.sealing import Sealed
from infra.naming import Naming

TOKEN_KEYS = "token-keys.json"  # noqa: S105 - a file's name
INSTALLED = "/run/secrets"
"""Where a service finds its own."""

_PURPOSE = "dashtam: token keys"
PASSWORD = "password"  # noqa: S105 - a file's name

_SOURCES = {TOKEN_KEYS: "app", PASSWORD: "postgres"}


def volumes(naming: Naming, part: Part) -> list[str]:
    """Return the volumes of secrets that a part's data is opened with."""
    return [naming.files_volume(service) for service in _SOURCES.values()] if part.service == "postgres" else []


def token_keys(helper: Helper, naming: Naming) -> bytes | None:
    """Return the master keys of tokens, as `app.vault` reads them; None where there are none, and so no tokens."""
    with suppress(NotFound):
        return helper.file(_path(naming, TOKEN_KEYS))
    return None


def master_keys(helper: Helper, naming: Naming) -> MasterKeys:
    """Return the master keys of tokens that the environment has now.

    Args:
        helper: With the volumes of secrets.
        naming: The environment's names.

    Raises:
        UserError: They are not installed.
    """
    found = token_keys(helper, naming)
    if found is None:
        raise _missing(naming, TOKEN_KEYS)
    return MasterKeys.parse(found.decode())


def sealed(passphrase_file: Path, content: bytes) -> Sealed:
    """Encrypt master keys, to be kept with the data whose tokens they open.

    Args:
        passphrase_file: Of this clone.
        content: What `token_keys` returned.
    """
    return sealing.seal(passphrase_file, content, _PURPOSE)


def former(passphrase_file: Path, shut: Sealed) -> MasterKeys | None:
    """Return the master keys that were kept with data; None, which is told, where this clone can't open them.

    Args:
        passphrase_file: Of this clone.
        shut: What `sealed` returned.
    """
    content = sealing.unseal(passphrase_file, shut, _PURPOSE)
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
    return f"/{naming.files_volume(_SOURCES[name])}/{name}"


def _missing(naming: Naming, name: str) -> UserError:
    return UserError(
        f"The secrets of {naming.environment} are not installed.",
        cause=f"The volume {naming.files_volume(_SOURCES[name])} has no file {name}.",
        remedy=f"./dashtam up {naming.environment}",
    )
