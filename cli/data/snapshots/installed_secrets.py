"""Secrets as they are installed for the services.

A snapshot is taken of stopped environments too, so a helper reads them from the volumes in which they are installed.
"""

from __future__ import annotations

from contextlib import suppress

from docker.errors import NotFound

from cli.core.errors import UserError
from cli.data.sealed_secrets import PURPOSES, SESSION_KEY, TOKEN_KEYS
from cli.data.snapshots.helper import Helper, Part
from cli.engine import streams
from infra.naming import Naming

PASSWORD = "password"  # noqa: S105 - a file's name

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
        raise _not_installed(naming, name)
    return content.decode()


def installed_to_seal(helper: Helper, naming: Naming) -> dict[str, bytes]:
    """Return the installed secrets that travel with a snapshot, by the names of their files there.

    Without the keys of its tokens, as after the volume with the app's files was removed, nobody could ever read them.
    """
    contents = {name: installed(helper, naming, name) for name in PURPOSES}
    if contents[TOKEN_KEYS] is None:
        raise _not_installed(naming, TOKEN_KEYS)
    return {name: content for name, content in contents.items() if content is not None}


def _not_installed(naming: Naming, name: str) -> UserError:
    service, file = _SOURCES[name]
    return UserError(
        f"The secrets of {naming.environment} are not installed.",
        cause=f"The volume {naming.files_volume(service)} has no file {file}.",
        remedy=f"`./dashtam up {naming.environment}` installs them.",
    )
