"""The app answers as its OpenAPI document says, whatever it is asked."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    import httpx2

    from tests.conftest import Endpoints

CONFIG = Path(__file__).with_name("schemathesis.toml")
SESSION = "/api/v1/session"
PATIENCE = 300
"""Seconds that it may take: more than it does, so that it ends."""


@pytest.fixture(scope="session")
def person(app: httpx2.Client) -> dict[str, str]:
    """The headers of somebody with a session, who repeats its token as its own pages do."""
    answer = app.get(SESSION)
    session = answer.raise_for_status().json()
    cookies = "; ".join(f"{name}={value}" for name, value in answer.cookies.items())
    return {"Cookie": cookies, session["csrf_header"]: session["csrf_token"]}


# A program of its own: Schemathesis' fixtures write to an attribute that pytest 9.2 no longer has.
def test_the_app_does_what_its_document_says(endpoints: Endpoints, person: dict[str, str], tmp_path: Path) -> None:
    headers = [word for name, value in person.items() for word in ("--header", f"{name}: {value}")]
    command = ["run", f"{endpoints.app_url}/openapi.json", "--tls-verify", str(endpoints.ca_file), *headers]
    done = subprocess.run(
        [sys.executable, "-m", "schemathesis.cli", "--config-file", str(CONFIG), "--no-color", *command],
        cwd=tmp_path,
        # Nothing of this machine's proxies and certificates.
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
