"""The variables that a server of the service starts with, and the files that they name."""

from __future__ import annotations

import base64
import json
import os
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.certificates import Authority

TOKEN_KEYS = json.dumps({"active": "k1", "keys": {"k1": base64.b64encode(b"k" * 32).decode()}})


@pytest.fixture(scope="session")
def tls_files(authority: Authority) -> dict[str, str]:
    certificate = str(authority.issue())
    measured = {name: value for name, value in os.environ.items() if name.startswith("COVERAGE_")}
    files = {"TLS_CA_FILE": str(authority.ca_file), "TLS_CERTIFICATE_FILE": certificate, "TLS_KEY_FILE": certificate}
    return {**measured, **files}


@pytest.fixture
def tls_environment(tls_files: dict[str, str]) -> dict[str, str]:
    """The certificates of a server; with them a process's coverage is measured where the tests' is."""
    return dict(tls_files)


@pytest.fixture
def app_environment(tls_environment: dict[str, str], tmp_path: Path) -> dict[str, str]:
    """A complete environment of the app, its secrets in files."""
    return complete_environment(tls_environment, tmp_path)


def complete_environment(tls: dict[str, str], folder: Path) -> dict[str, str]:
    secrets = {
        "DATABASE_PASSWORD": "database pw",
        "REDIS_PASSWORD": "redis pw",
        "SECRET_KEY": "k" * 32,
        "PROVIDERS": "[]",
        "TOKEN_KEYS": TOKEN_KEYS,
    }
    for name, secret in secrets.items():
        (folder / name).write_text(f"{secret}\n")
    return {
        **tls,
        **{f"{name}_FILE": str(folder / name) for name in secrets},
        "ENVIRONMENT": "unit",
        "DATABASE_HOST": "127.0.0.1",
        "DATABASE_PORT": "1",
        "DATABASE_NAME": "dashtam",
        "DATABASE_USER": "dashtam_user",
        "REDIS_HOST": "127.0.0.1",
        "REDIS_PORT": "1",
        "REDIS_USER": "dashtam_user",
        "OAUTH_REDIRECT_URI": "https://127.0.0.1:8182",
        "PUBLIC_URL": "https://app:8000",
    }
