"""What other tools, and the app in an editor, need on this machine: addresses, users, certificates and secrets."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit, urlunsplit

from pydantic import SecretStr

from cli.core.atomic_files import PRIVATE, private_folder, replacing, write_whole
from cli.environments.clone import Clone
from infra.endpoints import address
from infra.outputs import PublicOutputs, StackOutputs


def authority_file(clone: Clone, outputs: PublicOutputs) -> Path:
    """Write an environment's CA certificate to the place where other tools find it."""
    path = _authority_path(clone, outputs.environment)
    if not path.exists() or path.read_text() != outputs.ca_certificate:
        write_whole(path, outputs.ca_certificate)
    return path


def refresh(clone: Clone, outputs: PublicOutputs, with_secrets: Callable[[], StackOutputs | None]) -> None:
    """Write the files that clients were given again, so that they hold the certificates that an update has made."""
    if _authority_path(clone, outputs.environment).exists():
        authority_file(clone, outputs)
    is_on_host = outputs.containers.app is None and _app_folder(clone, outputs.environment).exists()
    if is_on_host and (found := with_secrets()):
        of_app(clone, found)


def of(clone: Clone, outputs: StackOutputs, *, secrets: bool) -> dict[str, str]:
    """Return the variables of clients, and of the app where it runs on this machine; write the files that they name."""
    authority = authority_file(clone, outputs)
    return {**variables(outputs, authority, secrets=secrets), **of_app(clone, outputs)}


def of_app(clone: Clone, outputs: StackOutputs) -> dict[str, str]:
    """Return the variables of the app's servers, with secrets in private files; none where it runs."""
    if outputs.app_on_host is None:
        return {}
    document = json.loads(outputs.app_on_host.get_secret_value())
    folder = private_folder(_app_folder(clone, outputs.environment))
    paths = {name: folder / name.removesuffix("_FILE").lower() for name in document["files"]}
    for name, path in paths.items():
        with replacing(path, PRIVATE) as file:
            file.write(document["files"][name].encode())
    return {**document["variables"], **{name: str(path) for name, path in paths.items()}}


def forget_app(clone: Clone, environment: str) -> None:
    """Delete the app's files of an environment that was destroyed."""
    with suppress(FileNotFoundError):
        shutil.rmtree(_app_folder(clone, environment))


def _authority_path(clone: Clone, environment: str) -> Path:
    return clone.home / "ca" / f"{environment}.crt"


def _app_folder(clone: Clone, environment: str) -> Path:
    return clone.home / "app" / environment


def variables(outputs: StackOutputs, authority: Path, *, secrets: bool) -> dict[str, str]:
    """Return the variables that clients on this machine read, for the published services."""
    found = {"DASHTAM_ENVIRONMENT": outputs.environment, "DASHTAM_CA_FILE": str(authority)}
    for name in ("app", "docs", "callback", "sandbox"):
        if url := getattr(outputs.urls, name):
            found[f"{name.upper()}_URL"] = url
    found |= _postgres(outputs.database_dsn, authority, secrets=secrets)
    return found | _redis(outputs.redis_dsn, authority, secrets=secrets)


def _postgres(dsn: SecretStr | None, authority: Path, *, secrets: bool) -> dict[str, str]:
    """The names are libpq's (PostgreSQL manual, 32.15)."""
    if dsn is None:
        return {}
    parts = urlsplit(dsn.get_secret_value())
    found = {
        "DATABASE_URL": _url(dsn, f"sslmode=verify-full&sslrootcert={quote(str(authority))}", secrets=secrets),
        "PGHOST": str(parts.hostname),
        "PGPORT": str(parts.port),
        "PGUSER": str(parts.username),
        "PGDATABASE": parts.path.lstrip("/"),
        "PGSSLMODE": "verify-full",
        "PGSSLROOTCERT": str(authority),
    }
    return found | ({"PGPASSWORD": unquote(parts.password or "")} if secrets else {})


def _redis(dsn: SecretStr | None, authority: Path, *, secrets: bool) -> dict[str, str]:
    if dsn is None:
        return {}
    found = {"REDIS_URL": _url(dsn, f"ssl_ca_certs={quote(str(authority))}", secrets=secrets)}
    return found | ({"REDISCLI_AUTH": unquote(urlsplit(dsn.get_secret_value()).password or "")} if secrets else {})


def _url(dsn: SecretStr, query: str, *, secrets: bool) -> str:
    parts = urlsplit(dsn.get_secret_value())
    password = f":{parts.password}" if secrets else ""
    place = f"{parts.username}{password}@{address(str(parts.hostname), parts.port or 0)}"
    return urlunsplit((parts.scheme, place, parts.path, query, ""))
